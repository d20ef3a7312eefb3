import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportFileTroubles } from '../../src/daemon/report/trouble-report.ts';
import { KernelFile } from '../../src/kernel/base/kernel-file.ts';
import { PidIo, parsePidIo } from '../../src/kernel/pid/proc-pid-io.ts';
import { fileTroubles, readRecord } from '../../src/kernel/base/read.ts';
import { Tree } from '../collectors/support.ts';
import { logs } from '../delivery/helpers.ts';

// Reports live as long as the program: one for all tests of this file.
const { log, at } = logs();
reportFileTroubles(log);

test('one warning for a kind of file, whatever the number of processes and reads', (t) => {
  const tree = new Tree(t);
  const read = (path: string): void => {
    const file = new KernelFile(path);
    readRecord(file, parsePidIo, new PidIo());
    readRecord(file, parsePidIo, new PidIo());
    file.close();
  };
  for (const pid of [101, 102]) tree.write(`proc/${pid}/io`, 'nonsense\n');
  for (const pid of [101, 102]) read(tree.paths.pid(pid, 'io'));
  assert.equal(at('warn').length, 1);
  assert.match(
    at('warn')[0] ?? '',
    /proc\/<pid>\/io: .*expected lines like .*nonsense.*; its metrics are omitted$/,
  );

  for (const tid of [201, 202]) read(tree.paths.task(101, tid, 'schedstat'));
  assert.equal(at('warn').length, 1, 'what is gone is no trouble');
  read(tree.paths.roots.procfs);
  assert.match(at('warn')[1] ?? '', /proc: cannot be read; its metrics are omitted$/);
});

test('a file that needs more rights says so', () => {
  // Published by hand: nothing is denied to the user that runs the tests, who may be root.
  const denied = { trouble: 'denied', message: 'permission denied' };
  for (const id of [700, 800]) {
    fileTroubles.publish({ path: `/proc/${id}/task/9/schedstat`, ...denied });
    fileTroubles.publish({ path: `/run/qemu-server/${id}.pid`, ...denied });
  }
  const advice = 'permission denied; its metrics are omitted; run as root to get them';
  assert.deepEqual(at('warn').slice(2), [
    `/proc/<pid>/task/<pid>/schedstat: ${advice}`,
    `/run/qemu-server/<vmid>.pid: ${advice}`,
  ]);
});

test('one warning for a file of CPUs', () => {
  const before = at('warn').length;
  for (const cpu of [0, 1, 12])
    fileTroubles.publish({
      path: `/sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_cur_freq`,
      ...{ trouble: 'broken', message: 'odd' },
    });
  assert.deepEqual(at('warn').slice(before), [
    '/sys/devices/system/cpu/cpu<n>/cpufreq/scaling_cur_freq: odd; its metrics are omitted',
  ]);
});

test('one warning for a file of cgroups, whatever their names, and one for each file of them', () => {
  // Published by hand, as in the test before. The scopes are those of Proxmox VE, libvirt and KubeVirt.
  const before = at('warn').length;
  const groups = [
    'qemu.slice/100.scope',
    'machine.slice/machine-qemu\\x2d1\\x2dweb.scope',
    'machine.slice/machine-qemu\\x2d2\\x2ddb-7.scope',
    'kubepods.slice/kubepods-besteffort.slice/kubepods-pod0a1b.slice/cri-containerd-99.scope',
  ];
  for (const group of groups)
    for (const file of ['cpu.stat', 'memory.pressure'])
      fileTroubles.publish({ path: `/sys/fs/cgroup/${group}/${file}`, trouble: 'broken', message: 'odd' });
  assert.deepEqual(at('warn').slice(before), [
    '<cgroup>/cpu.stat: odd; its metrics are omitted',
    '<cgroup>/memory.pressure: odd; its metrics are omitted',
  ]);
});
