import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Lab, missingForLab } from '../lab/lab.ts';
import type { LabVm } from '../lab/vm.ts';
import type { Cycle } from './program.ts';
import { Stream, domain, num, timeOf } from './program.ts';

const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const FREQUENCY = 0.4;
const FLAGS = ['--cpu', '--mem', '--verbose', `--frequency=${FREQUENCY}`];
/** Longer than the interval at which the configuration is read, and than the deadline of a read. */
const LONG = 4000;

/** A lab with one VM whose configuration says more than its command line. */
async function configuredVm(): Promise<{ lab: Lab; vm: LabVm }> {
  const lab = Lab.create();
  const vm = await lab.run({ name: 'at-start', memory: 48 });
  lab.writeConfig(vm, { name: 'configured', tags: 'kept' });
  return { lab, vm };
}

const ways: readonly (readonly [what: string, take: (lab: Lab) => () => void])[] = [
  [
    'unmounted',
    ({ roots: { pvedir } }) => {
      renameSync(pvedir, `${pvedir}.aside`);
      mkdirSync(pvedir);
      return () => {
        rmdirSync(pvedir);
        renameSync(`${pvedir}.aside`, pvedir);
      };
    },
  ],
  [
    'gone',
    ({ roots: { pvedir } }) => {
      renameSync(pvedir, `${pvedir}.aside`);
      return () => {
        renameSync(`${pvedir}.aside`, pvedir);
      };
    },
  ],
];

describe('the cluster file system', { skip, concurrency: true }, () => {
  for (const [what, take] of ways) {
    test(`one that is ${what} keeps the inventory, and is read again when it is back`, async () => {
      const { lab, vm } = await configuredVm();
      try {
        const stream = Stream.start([...lab.flags(), ...FLAGS]);
        const first = await stream.next(
          'the configuration',
          (cycle) => domain(cycle, vm)?.['name'] === 'configured',
        );
        const giveBack = take(lab);
        const last = await stream.next('some seconds', (cycle) => timeOf(cycle) - timeOf(first) >= LONG);
        const cycles = stream.between(first, last);
        regular(cycles);
        for (const cycle of cycles) {
          const row = domain(cycle, vm);
          assert.deepEqual([row?.['name'], row?.['tags']], ['configured', 'kept']);
          assert.equal(num(row, 'ram_total'), 48 * 2 ** 20);
        }
        giveBack();
        lab.writeConfig(vm, { name: 'changed' });
        const changed = await stream.next('the change', (cycle) => domain(cycle, vm)?.['name'] === 'changed');
        assert.equal(domain(changed, vm)?.['tags'], undefined);
        const { code, stderr } = await stream.stop();
        assert.equal(code, 0);
        const lines = stderr.trimEnd().split('\n');
        assert.equal(lines.length, 2, stderr);
        assert.match(lines[0]!, /warning.*configuration of VMs cannot be read, keeping the last known one/);
        assert.match(lines[1]!, /info.*configuration of VMs can be read again/);
      } finally {
        await lab.close();
      }
    });
  }

  test('a file that hangs keeps nothing else waiting, not even the end', async () => {
    const { lab, vm } = await configuredVm();
    try {
      const stream = Stream.start([...lab.flags(), ...FLAGS]);
      const first = await stream.next(
        'the configuration',
        (cycle) => domain(cycle, vm)?.['name'] === 'configured',
      );
      const file = hang(lab, vm);
      const last = await stream.next('some seconds', (cycle) => timeOf(cycle) - timeOf(first) >= LONG);
      const cycles = stream.between(first, last);
      regular(cycles);
      for (const cycle of cycles) assert.equal(domain(cycle, vm)?.['name'], 'configured');
      assert.equal(num(last.agent, 'missed_ticks'), 0);
      assert.equal(stream.stderr.split('cannot be read').length, 2, `said once: ${stream.stderr}`);
      // The read comes back at last, and the next look finds a file again.
      renameSync(file, `${file}.hanging`);
      lab.writeConfig(vm, { name: 'answered' });
      writeFileSync(`${file}.hanging`, '');
      await stream.next('the answer', (cycle) => domain(cycle, vm)?.['name'] === 'answered');
      // It hangs again (the version tells to look at it) while the program is told to end.
      const { seq } = await stream.next();
      hang(lab, vm);
      await stream.next('some cycles', (cycle) => cycle.seq > seq + 8);
      const asked = performance.now();
      const { code, signal } = await stream.stop();
      // Node cannot exit beside a read that never comes back; the signal's default action ends it then.
      assert.ok(code === 0 || signal === 'SIGTERM', `code ${code}, signal ${signal}`);
      assert.ok(performance.now() - asked < 5000, 'it ends soon');
    } finally {
      await lab.close();
    }
  });

  test('one that hangs at the start does not keep the VMs from being measured', async () => {
    const { lab, vm } = await configuredVm();
    try {
      hang(lab, vm);
      const started = Date.now();
      const stream = Stream.start([...lab.flags(), ...FLAGS]);
      const first = await stream.next();
      assert.ok(timeOf(first) - started < 6000, `the first line comes after ${timeOf(first) - started} ms`);
      assert.equal(domain(first, vm)?.['name'], 'at-start');
      assert.ok(num(domain(first, vm), 'cpu_total') >= 0);
      const last = await stream.next('a second', (cycle) => timeOf(cycle) - timeOf(first) >= 1000);
      regular(stream.between(first, last));
      await stream.stop();
    } finally {
      await lab.close();
    }
  });
});

/** Puts a FIFO, which nobody writes to, in the place of a VM's configuration, and announces a change. */
function hang(lab: Lab, vm: LabVm): string {
  const file = join(lab.roots.pvedir, 'nodes', lab.node, 'qemu-server', `${vm.vmid}.conf`);
  rmSync(file);
  execFileSync('mkfifo', [file]);
  const version = join(lab.roots.pvedir, '.version');
  const text = readFileSync(version, 'utf8');
  writeFileSync(
    version,
    text.replace(/("vmlist": )(\d+)/, (_, key: string, list: string) => `${key}${Number(list) + 1}`),
  );
  return file;
}

/** No cycle is missing, and none is far from its tick. */
function regular(cycles: readonly Cycle[]): void {
  for (const [index, cycle] of cycles.entries()) {
    if (index > 0) assert.equal(cycle.seq, cycles[index - 1]!.seq + 1);
    const late = timeOf(cycle) % (FREQUENCY * 1000);
    assert.ok(late < 150, `cycle ${cycle.seq} is ${late} ms late`);
  }
}

test('a monitor made for proxtop is asked while a tool holds that of Proxmox VE', { skip }, async () => {
  const lab = Lab.create();
  try {
    const own = join(lab.root, 'run/qemu-server/own-proxtop.qmp');
    const vm = await lab.run({ memory: 48, args: ['-qmp', `unix:${own},server=on,wait=off`] });
    const tool = connect(vm.qmpSocket);
    // Its greeting: from now on no other client is served.
    await once(tool, 'data');
    const stream = Stream.start([...lab.flags(), ...FLAGS, `--detail-interval=${FREQUENCY}`]);
    const first = await stream.next('its state', (cycle) => domain(cycle, vm)?.['state'] === 'prelaunch');
    const last = await stream.next('some answers', (cycle) => timeOf(cycle) - timeOf(first) >= LONG);
    for (const cycle of stream.between(first, last)) {
      const row = domain(cycle, vm);
      assert.deepEqual([row?.['state'], row?.['qmp']], ['prelaunch', undefined]);
      assert.ok(num(row, 'detail_age') < LONG / 1000, 'asked again and again');
    }
    tool.destroy();
    const { code, stderr } = await stream.stop();
    assert.deepEqual([code, stderr], [0, '']);
  } finally {
    await lab.close();
  }
});
