import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { tapCounters } from './bridge.ts';
import { plugCpu, plugDisk, unplugDisk, unplugNic } from './hotplug.ts';
import { Lab, missingForLab } from './lab.ts';
import { commandLine, hasEnded, processState, until } from './processes.ts';
import type { DiskSpec, LabVm } from './vm.ts';

const MIB = 2 ** 20;
const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;

interface BlockStats {
  readonly device: string;
  readonly qdev: string;
  readonly stats: { readonly rd_operations: number; readonly wr_operations: number };
}

describe('lab', { skip }, () => {
  const lab = Lab.create();
  after(() => lab.close());

  async function blockStats(vm: LabVm): Promise<BlockStats[]> {
    return (await lab.qmp(vm, 'query-blockstats')) as BlockStats[];
  }

  /** Seconds that the threads of a VM's first vCPU ran. */
  function vcpuSeconds(vm: LabVm): number {
    const tasks = `/proc/${vm.runningPid}/task`;
    const task = readdirSync(tasks).find(
      (tid) => readFileSync(join(tasks, tid, 'comm'), 'latin1') === 'CPU 0/TCG\n',
    );
    return Number(readFileSync(join(tasks, task!, 'schedstat'), 'latin1').split(' ')[0]) / 1e9;
  }

  test('a VM looks like one of Proxmox VE', async () => {
    const name = 'a,b "c" \'d\' $(e) \u001b[31m\nü';
    const vm = await lab.run({ name, cores: 4, vcpus: 2 });
    const pid = vm.runningPid;
    const args = commandLine(pid);
    assert.equal(args[0], '/usr/bin/kvm');
    assert.equal(readFileSync(`/proc/${pid}/comm`, 'latin1'), 'kvm\n');
    assert.match(realpathSync(`/proc/${pid}/exe`), /qemu-system-x86_64$/);
    const runtime = join(lab.roots.rundir, 'qemu-server');
    assert.equal(args[args.indexOf('-pidfile') + 1], join(runtime, `${vm.vmid}.pid`));
    assert.equal(readFileSync(join(runtime, `${vm.vmid}.pid`), 'latin1'), `${pid}\n`);
    assert.ok(existsSync(join(runtime, `${vm.vmid}.qmp`)));
    assert.deepEqual(await lab.qmp(vm, 'query-name'), { name });
    assert.deepEqual(await lab.qmp(vm, 'query-uuid'), { UUID: vm.uuid });
    assert.equal(((await lab.qmp(vm, 'query-cpus-fast')) as unknown[]).length, 2);
    assert.equal(((await lab.qmp(vm, 'query-status')) as { status: string }).status, 'prelaunch');
    await plugCpu(vm);
    assert.equal(((await lab.qmp(vm, 'query-cpus-fast')) as unknown[]).length, 3);
    await assert.rejects(lab.qmp(vm, 'no-such-command'), /no-such-command has not been found/);
  });

  test('configurations lie in the tree of the node, and each change raises the versions', () => {
    const vm = lab.define({ name: 'a\nb' });
    const list = (): {
      version: number;
      ids: Record<string, { node: string; type: string; version: number }>;
    } => JSON.parse(readFileSync(join(lab.roots.pvedir, '.vmlist'), 'utf8')) as ReturnType<typeof list>;
    const config = (): string =>
      readFileSync(join(lab.roots.pvedir, 'qemu-server', `${vm.vmid}.conf`), 'utf8');
    assert.match(config(), /^name: a b$/m);
    const before = list();
    lab.writeConfig(vm, { tags: 'x;y' });
    assert.match(config(), /^tags: x;y$/m);
    assert.equal(list().version, before.version + 1);
    assert.equal(list().ids[vm.vmid]?.node, lab.node);
    assert.ok(list().ids[vm.vmid]!.version > before.ids[vm.vmid]!.version);
    const versions = JSON.parse(readFileSync(join(lab.roots.pvedir, '.version'), 'utf8')) as {
      vmlist: number;
    };
    assert.equal(versions.vmlist, list().version);
    lab.pve.remove(vm.vmid);
    assert.equal(list().ids[vm.vmid], undefined);
  });

  test('every VM has a cgroup of its own where the host allows it', async (context) => {
    const [one, other] = await lab.startMany(2, { cores: 4 });
    if (one!.cgroup === undefined) {
      context.skip('cgroup v2 cannot be written here');
      return;
    }
    assert.equal(one!.cgroup, `/qemu.slice/${one!.vmid}.scope`);
    const cgroups = readFileSync(`/proc/${one!.runningPid}/cgroup`, 'latin1').split('\n');
    assert.ok(cgroups.includes(`0::${one!.cgroup}`));
    const scope = join(lab.roots.cgroupfs, one!.cgroup);
    assert.equal(readFileSync(join(scope, 'cgroup.procs'), 'latin1'), `${one!.runningPid}\n`);
    assert.notEqual(other!.cgroup, one!.cgroup);
    await lab.stop(one!);
    assert.ok(!existsSync(scope));
  });

  test('a stopped VM leaves nothing, a killed one its files; both start again as new processes', async () => {
    const vm = await lab.run({ nics: [{ model: 'virtio' }] });
    const tap = join('/sys/class/net', vm.nics[0]!.tap);
    const first = vm.runningPid;
    await lab.stop(vm);
    assert.deepEqual([vm.pidFile, vm.qmpSocket, tap].map(existsSync), [false, false, false]);
    await lab.start(vm);
    const second = vm.runningPid;
    await lab.kill(vm);
    assert.deepEqual([vm.pidFile, vm.qmpSocket, tap].map(existsSync), [true, true, false]);
    await lab.start(vm);
    await lab.restart(vm);
    assert.equal(new Set([first, second, vm.runningPid]).size, 3);
    await assert.rejects(lab.start(vm), /QEMU does not start VM/);
  });

  test('a suspended process answers nothing until it is resumed', async () => {
    const vm = await lab.run({});
    await lab.suspendProcess(vm);
    const answer = lab.qmp(vm, 'query-status');
    assert.equal(processState(vm.runningPid), 'T');
    await lab.resumeProcess(vm);
    assert.equal(((await answer) as { status: string }).status, 'prelaunch');
  });

  test('an idle guest halts, a spinning one spins', async () => {
    const idle = await lab.run({ guest: 'idle' });
    const spin = await lab.run({ guest: 'spin', load: 4 });
    const start = vcpuSeconds(idle);
    const busy = vcpuSeconds(spin);
    // Booting takes less than a second of CPU time; what the idle guest used meanwhile is its boot.
    await until('the guest has spun for a second', () => vcpuSeconds(spin) - busy > 1);
    await lab.qmp(idle, 'stop');
    await lab.qmp(spin, 'stop');
    assert.ok(vcpuSeconds(idle) - start < vcpuSeconds(spin) - busy);
  });

  const interfaces: DiskSpec[] = [
    { interface: 'scsi', size: 16 * MIB, shape: 'blockdev' },
    { interface: 'virtio', size: 16 * MIB, shape: 'blockdev' },
    { interface: 'ide', size: 16 * MIB, shape: 'drive' },
    { interface: 'sata', size: 16 * MIB, shape: 'drive' },
  ];
  for (const disk of interfaces) {
    test(`a guest reads and writes its ${disk.interface} ${disk.shape} disk`, async () => {
      const vm = await lab.run({ guest: 'disk', load: 4, disks: [disk] });
      const own = async (): Promise<BlockStats> => {
        const entries = await blockStats(vm);
        return entries.find(({ device, qdev }) =>
          disk.shape === 'drive'
            ? device === `drive-${disk.interface}0`
            : `${qdev}/`.includes(`${disk.interface}0/`),
        )!;
      };
      await until('reads and writes are counted', async () => {
        const { stats } = await own();
        return stats.rd_operations > 40 && stats.wr_operations > 40;
      });
      assert.equal((await own()).device, disk.shape === 'drive' ? `drive-${disk.interface}0` : '');
      await lab.stop(vm);
    });
  }

  test('disks and NICs come and go while the VM runs', async () => {
    const vm = await lab.run({});
    const disk = await plugDisk(vm, 16 * MIB);
    assert.deepEqual(
      (await blockStats(vm)).map(({ device, qdev }) => [device, qdev]),
      [['', 'scsi0']],
    );
    await unplugDisk(vm, disk);
    assert.deepEqual(await blockStats(vm), []);
    const nic = await lab.plugNic(vm);
    assert.ok(existsSync(join('/sys/class/net', nic.tap)));
    await unplugNic(vm, nic);
    assert.ok(!existsSync(join('/sys/class/net', nic.tap)));
  });

  test('a known amount of traffic crosses a tap, and nothing else any other', async () => {
    const nics = [{ model: 'rtl8139' }] as const;
    const vm = await lab.run({ guest: 'idle', nics });
    const bystander = await lab.run({ guest: 'idle', nics });
    const tap = vm.nics[0]!.tap;
    const before = tapCounters(tap);
    const beside = tapCounters(bystander.nics[0]!.tap);
    await lab.sendToTap(vm, 600, 1000);
    await lab.sendFromGuest(vm, 300, 200);
    assert.deepEqual(tapCounters(tap), {
      rxPackets: before.rxPackets + 300,
      rxBytes: before.rxBytes + 300 * 200,
      txPackets: before.txPackets + 600,
      txBytes: before.txBytes + 600 * 1000,
    });
    assert.deepEqual(tapCounters(bystander.nics[0]!.tap), beside);
  });

  test('the boot ROM of a network guest sends frames', async () => {
    const vm = await lab.run({ guest: 'network', nics: [{ model: 'virtio' }] });
    await until('a frame comes out of the guest', () => tapCounters(vm.nics[0]!.tap).rxPackets > 0);
    await lab.stop(vm);
  });
});

test('closing removes everything', { skip }, async () => {
  const lab = Lab.create();
  const vms = await lab.startMany(2, { nics: [{ model: 'rtl8139' }] });
  const pids = vms.map((vm) => vm.runningPid);
  const traces = tracesOf(lab, vms);
  assert.ok(traces.every(existsSync));
  await lab.suspendProcess(vms[0]!);
  const late = assert.rejects(lab.run({})); // being started while the lab closes
  await lab.close();
  assert.ok(pids.every(hasEnded));
  assert.deepEqual(traces.filter(existsSync), []);
  await late;
});

for (const end of ['SIGTERM', 'SIGINT', 'SIGKILL', 'exception'] as const) {
  test(`nothing is left of a lab whose program ends by ${end}`, { skip }, async () => {
    const program = `
      import { Lab } from ${JSON.stringify(new URL('lab.ts', import.meta.url).href)};
      const lab = Lab.create();
      const vm = await lab.run({ nics: [{ model: 'rtl8139' }] });
      console.log(JSON.stringify([vm.pid, lab.root, '/sys/class/net/' + lab.bridge.name]));
      process.stdin.once('data', () => { throw new Error('on purpose'); });`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program]);
    const stderr = text(child.stderr);
    const closed = once(child, 'close');
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const [pid, ...traces] = JSON.parse(line.toString()) as [number, string, string];
    assert.ok(!hasEnded(pid));
    assert.ok(traces.every(existsSync));
    if (end === 'exception') child.stdin.write('x');
    else child.kill(end);
    await closed;
    assert.equal((await stderr).includes('on purpose'), end === 'exception');
    await until('all is gone', () => hasEnded(pid) && !traces.some(existsSync));
  });
}

/** Paths that exist as long as the lab does. */
function tracesOf(lab: Lab, vms: readonly LabVm[]): string[] {
  const taps = vms.flatMap(({ nics }) => nics.map(({ tap }) => join('/sys/class/net', tap)));
  const scopes = vms.flatMap(({ cgroup }) =>
    cgroup === undefined ? [] : [join(lab.roots.cgroupfs, cgroup)],
  );
  return [lab.root, ...taps, ...scopes, join('/sys/class/net', lab.bridge.name)];
}
