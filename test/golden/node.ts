import crypto, { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { createCollectors } from '../../src/collectors/index.ts';
import { ContainerInventory } from '../../src/guests/containers/containers.ts';
import { Node } from '../../src/guests/node.ts';
import { SensorCollector } from '../../src/collectors/sensors.ts';
import { ProxmoxInventory } from '../../src/guests/proxmox/proxmox.ts';
import { Paths } from '../../src/kernel/base/paths.ts';
import { collectorNames } from '../../src/catalogue/catalogue.ts';
import { dropReasons } from '../../src/sampling/output-status.ts';
import type { ObservedOutput } from '../../src/sampling/output-status.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { Attempts } from '../../src/base/pacing/attempts.ts';
import { Sampler } from '../../src/sampling/sampler.ts';
import { objset } from '../collectors/objset.ts';
import { Tree, stoppedClock } from '../collectors/support.ts';
import { addPveVm } from '../guests/pve-vm.ts';
import { PveTree } from '../lab/pve-tree.ts';
import { logs } from '../delivery/helpers.ts';
import { RecordedMonitor } from './recorded-monitor.ts';

const KERNEL = 'linux-6.1';
const START = Date.UTC(2026, 10, 22, 3, 0, 0);
/** Pids that the fixture gives to the QEMUs, by vmid: one whose monitor answers and one whose monitor is gone. */
const vms = { 100: { pid: 4242, name: 'store' }, 101: { pid: 5151, name: 'web "1", ü' } } as const;

/** Everything random or of this machine stands still, so that the same samples come out of the same files. */
function standStill(t: TestContext): void {
  t.mock.timers.enable({ apis: ['Date'], now: START });
  t.mock.method(process, 'cpuUsage', () => ({ user: 2_000_000, system: 1_000_000 }));
  t.mock.method(process.memoryUsage, 'rss', () => 60 * 2 ** 20);
  // Slow readings begin at a random time.
  t.mock.method(Math, 'random', () => 0.5);
  t.mock.method(crypto, 'randomBytes', (size: number) => Buffer.alloc(size, 0xab));
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  if (randomBytes(1)[0] !== 0xab) throw new Error('the run id is still random');
}

/** An output as it fares in an outage. */
const outputs: readonly ObservedOutput[] = [
  {
    name: 'logstash',
    status: {
      state: 'down',
      queued: 3,
      queuedBytes: 4096,
      spooled: 120,
      spooledBytes: 163_840,
      oldest: START - 60_000,
      unconfirmed: 2,
      sent: 1000,
      resent: 5,
      dropped: 7,
      droppedBy: { ...Object.fromEntries(dropReasons.map((reason) => [reason, 0])), queue_full: 7 } as never,
      reconnects: 2,
      lastError: 'no connection to logstash.example:12345: connect ECONNREFUSED 192.0.2.7:12345',
    },
  },
];

/**
 * A Proxmox VE node of files: a captured kernel, two VMs laid out as Proxmox VE lays them out, a recorded monitor, a
 * clock that stands still between two samples.
 *
 * @param take gets the first two samples as they come; each is valid until the next one
 */
export async function sampleNode(t: TestContext, take: (sample: Sample) => void): Promise<void> {
  standStill(t);
  const setSeconds = stoppedClock(t);
  setSeconds(1000);
  const tree = new Tree(t);
  cpSync(join(import.meta.dirname, '../fixtures', KERNEL), tree.root, { recursive: true });
  completeHost(tree);
  const rundir = join(tree.root, 'run');
  const roots = { ...tree.paths.roots, rundir, pvedir: join(tree.root, 'pve') };
  mkdirSync(join(rundir, 'qemu-server'), { recursive: true });
  const pve = new PveTree(roots.pvedir, hostname());
  for (const [vmid, { pid, name }] of Object.entries(vms)) addPveVm(tree, Number(vmid), pid, name);
  pve.write(
    100,
    configOf(
      'store',
      'scsi0: local-lvm:vm-100-disk-0,size=64M,iops_rd=200,mbps=20\nvirtio0: fast:vm-100-disk-1,size=16M\n',
    ),
  );
  addContainer(tree);
  pve.write(101, configOf('web', 'tags: prod;web\nlock: backup\n'));
  openImages(tree, vms[100].pid);
  const monitor = await RecordedMonitor.listen(join(rundir, 'qemu-server/100.qmp'));
  t.after(() => {
    monitor.close();
  });

  const { log } = logs();
  const paths = new Paths(roots);
  const attempts = new Attempts(log, { errors: 0 });
  const connector = new Node(
    [
      new ProxmoxInventory(paths, { detailInterval: undefined, frequency: 1 }, log),
      new ContainerInventory(paths, log),
    ],
    attempts,
  );
  const wanted = { verbose: true, devices: true };
  const collectors = createCollectors(collectorNames, paths, {
    wanted,
    netdev: undefined,
    storedev: undefined,
  });
  const sampler = new Sampler(paths, connector, collectors, log);
  t.after(() => {
    sampler.close();
  });
  connector.guests();
  await connector.poll(true);
  sampler.prime();
  for (const each of collectors) if (each instanceof SensorCollector) await each.reading;
  for (const second of [1, 2]) {
    setSeconds(1000 + second);
    t.mock.timers.setTime(START + second * 1000);
    grow(tree);
    growContainer(tree, second);
    tree.write('sys/devices/virtual/block/vda/stat', below(second));
    monitor.turn = second === 1 ? 0 : 1;
    await connector.poll(true);
    take(sampler.sample(0, outputs));
    sampler.agent.cycleTook(2.5);
  }
}

function configOf(name: string, rest: string): string {
  return `name: ${name}\nmemory: 64\ncores: 2\n${rest}smbios1: uuid=526f6d42-dd79-4d81-8ff0-e90c09e9c8a5\n`;
}

function completeHost(tree: Tree): void {
  tree.write('proc/sys/kernel/hostname', 'pve1\n');
  tree.write('proc/sys/kernel/osrelease', '6.8.12-4-pve\n');
  tree.write('proc/spl/kstat/zfs/arcstats', 'name type data\nsize 4 1073741824\n');
  tree.write('proc/spl/kstat/zfs/rpool/state', 'ONLINE\n');
  tree.write('proc/spl/kstat/zfs/rpool/objset-0x36', objset('rpool', { reads: 20, nread: 81_920 }));
  tree.write('sys/devices/virtual/dmi/id/product_uuid', '6e26d5a1-2b7f-4b0e-9c1d-0123456789ab\n');
  tree.write('sys/class/net/eth0/speed', '10000\n');
  for (const file of ['scaling_cur_freq', 'cpuinfo_min_freq', 'cpuinfo_max_freq'])
    tree.write(`sys/devices/system/cpu/cpu0/cpufreq/${file}`, '2000000\n');
  tree.write('sys/class/net/tap101i0/mtu', '1500\n');
  for (const [file, content] of Object.entries(sensorFiles))
    tree.write(`sys/devices/platform/${file}`, content);
  mkdirSync(join(tree.root, 'sys/class/hwmon'));
  for (const chip of ['coretemp.0/hwmon/hwmon0', 'nct6775.656/hwmon/hwmon1'])
    symlinkSync(`../../devices/platform/${chip}`, join(tree.root, 'sys/class/hwmon', basename(chip)));
}

/** The files of a running container of Proxmox VE, whose configuration nobody could read yet. */
function addContainer(tree: Tree): void {
  const group = 'sys/fs/cgroup/lxc/900';
  tree.write('sys/fs/cgroup/lxc.monitor/900/cgroup.procs', '6000\n');
  tree.write('proc/uptime', '1000.00 1000.00\n');
  tree.write('proc/6000/task/6000/children', '6001 ');
  tree.process(6001, ['systemd']);
  tree.write('proc/6001/cgroup', '0::/lxc/900/ns/init.scope\n');
  tree.write('proc/6001/status', 'Name:\tsystemd\nNSpid:\t6001\t1\n');
  tree.write('proc/6001/mountinfo', '243 215 254:0 / / rw - fuse.lxcfs lxcfs rw\n');
  tree.write(`${group}/cgroup.events`, 'populated 1\nfrozen 0\n');
  tree.write(`${group}/cpu.max`, '50000 100000\n');
  tree.write(`${group}/cpuset.cpus.effective`, '0-1\n');
  tree.write(`${group}/pids.current`, '23\n');
  tree.write(`${group}/memory.current`, '100663296\n');
  tree.write(`${group}/memory.max`, '134217728\n');
  tree.write(`${group}/memory.swap.current`, '1048576\n');
  tree.write(`${group}/memory.stat`, 'anon 67108864\nfile 33554432\npgmajfault 7\n');
  for (const kind of ['cpu', 'io', 'memory'])
    tree.write(`${group}/${kind}.pressure`, 'some avg10=2.50 avg60=0.50 avg300=0.10 total=654321\n');
  growContainer(tree, 0);
}

/** What its processes did up to a turn. */
function growContainer(tree: Tree, turn: number): void {
  const group = 'sys/fs/cgroup/lxc/900';
  tree.write(
    `${group}/cpu.stat`,
    `usage_usec ${turn * 400_000}\nnr_throttled ${turn}\nthrottled_usec ${turn * 100_000}\n`,
  );
  tree.write(`${group}/memory.events`, `oom ${turn}\noom_kill ${turn}\n`);
  tree.write(
    `${group}/io.stat`,
    `254:0 rbytes=${turn * 4096} wbytes=${turn * 65536} rios=${turn} wios=${2 * turn} dbytes=0 dios=0\n`,
  );
}
/** Hardware monitoring, after the kernel's Documentation/hwmon: no machine of ours has any. */
const sensorFiles = {
  'coretemp.0/hwmon/hwmon0/name': 'coretemp\n',
  'coretemp.0/hwmon/hwmon0/temp1_label': 'Package id 0\n',
  'coretemp.0/hwmon/hwmon0/temp1_input': '91000\n',
  'coretemp.0/hwmon/hwmon0/temp1_max': '80000\n',
  'coretemp.0/hwmon/hwmon0/temp1_crit': '100000\n',
  'nct6775.656/hwmon/hwmon1/name': 'nct6779\n',
  'nct6775.656/hwmon/hwmon1/fan2_input': '1173\n',
};

/** The images that the recorded monitor tells of, open on a file system of vda. */
function openImages(tree: Tree, pid: number): void {
  tree.write(`proc/${pid}/mountinfo`, '31 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n');
  mkdirSync(join(tree.root, `proc/${pid}/fd`));
  for (const [index, device] of ['scsi0', 'virtio0'].entries()) {
    symlinkSync(
      `/var/lib/vz/images/100/vm-100-${device}.raw`,
      join(tree.root, `proc/${pid}/fd/${20 + index}`),
    );
    tree.write(`proc/${pid}/fdinfo/${20 + index}`, 'pos:\t0\nflags:\t02140002\nmnt_id:\t31\nino:\t99\n');
  }
  tree.write('sys/devices/virtual/block/vda/stat', below(0));
  mkdirSync(join(tree.root, 'sys/dev/block'), { recursive: true });
  symlinkSync('../../devices/virtual/block/vda', join(tree.root, 'sys/dev/block/254:0'));
}

/** The counters of vda after some seconds: 100 reads of 0.8 ms and 200 writes of 2 ms in each. */
function below(seconds: number): string {
  return `${[100, 0, 800, 80, 200, 0, 1600, 400].map((each) => each * seconds).join(' ')} 0 0 0\n`;
}

/** Lets a second pass on the host and in the processes: each number of a counter grows. */
function grow(tree: Tree): void {
  const plus = (file: string, part: RegExp, by: number): void => {
    const path = join(tree.root, file);
    const text = readFileSync(path, 'utf8');
    const more = (numbers: string): string =>
      numbers.replaceAll(/\d+/g, (digits) => String(Number(digits) + by));
    writeFileSync(path, text.replace(part, more));
  };
  // Eight kinds of time: together the second of two CPUs, and of each of them half a second.
  plus('proc/stat', /(?<=^cpu ).*$/m, 25);
  plus('proc/stat', /(?<=^cpu\d )\d.*$/gm, 12);
  plus('proc/diskstats', /(?<= \S+[a-z]\S* )\d.*$/gm, 10);
  plus('proc/net/dev', /(?<=: ).*$/gm, 1000);
  for (const { pid } of Object.values(vms)) {
    for (let tid = pid; tid < pid + 4; tid++) plus(`proc/${pid}/task/${tid}/schedstat`, /^.*$/m, 50_000_000);
    plus(`proc/${pid}/io`, /(?<=: ).*$/gm, 4096);
  }
}
