/**
 * What a cycle costs, on real QEMU processes with 4 vCPUs, a disk and a NIC each: all collectors, verbose, json, one
 * sample a second. Run as root: npx tsx bench/cycle.ts [VMS]... (50 and 200 if none are named)
 *
 * Printed for each number of VMs: CPU of the whole program by the kernel's account, memory and descriptors, the CPU
 * it causes in QEMU, the stages of a cycle, and the floor: the same files read by a loop that does nothing else.
 */
import { spawn } from 'node:child_process';
import { openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { Collector } from '../src/collectors/collector.ts';
import { createCollectors } from '../src/collectors/index.ts';
import { ProxmoxInventory } from '../src/guests/proxmox/proxmox.ts';
import { Paths } from '../src/kernel/base/paths.ts';
import { collectorNames } from '../src/catalogue/catalogue.ts';
import { createPrinter } from '../src/formats/index.ts';
import { Sampler } from '../src/sampling/sampler.ts';
import { Lab } from '../test/lab/lab.ts';
import type { LabVm } from '../test/lab/vm.ts';

const PROGRAM = fileURLToPath(new URL('../dist/proxtop', import.meta.url));
const FLAGS =
  '--cpu --mem --disk --net --io --pressure --host --verbose --output=stdout --printer=json'.split(' ');
/** Samples until V8 has compiled what is hot: a service runs for months, and compiling is a quarter of its first minute. */
const WARM_UP = 60;
const SAMPLES = 60;
const PASSES = 30;

interface Agent {
  readonly cpu_ms: number;
  readonly cycle_ms: number;
  readonly ram_rss: number;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function ms(number: number): string {
  return `${number.toFixed(2)} ms`;
}

/** CPU time of all threads of the QEMU processes since they started, in ms. */
function qemuCpu(vms: readonly LabVm[]): number {
  let ns = 0;
  for (const { pid } of vms) {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      ns += Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]);
    }
  }
  return ns / 1e6;
}

/** The whole program as it is installed, over {@link SAMPLES} samples. */
async function wholeProgram(lab: Lab, vms: readonly LabVm[], detailInterval: number): Promise<void> {
  const idleFrom = qemuCpu(vms);
  await sleep(5000);
  const idlePerSecond = (qemuCpu(vms) - idleFrom) / 5;

  const child = spawn(PROGRAM, [...FLAGS, `--detail-interval=${detailInterval}`, ...lab.flags()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const agents: Agent[] = [];
  let bytes = 0;
  let before = NaN;
  let started = NaN;
  for await (const line of createInterface({ input: child.stdout })) {
    agents.push((JSON.parse(line) as { agent: Agent }).agent);
    bytes = line.length;
    if (agents.length === WARM_UP) {
      before = qemuCpu(vms);
      started = performance.now();
    }
    if (agents.length === WARM_UP + SAMPLES) break;
  }
  const inQemu = (qemuCpu(vms) - before) / ((performance.now() - started) / 1000) - idlePerSecond;
  const descriptors = readdirSync(`/proc/${child.pid}/fd`).length;
  child.kill();
  const counted = agents.slice(WARM_UP);
  console.log(
    `  QEMU asked every ${detailInterval} s: CPU ${ms(mean(counted.map(({ cpu_ms }) => cpu_ms)))} a cycle ` +
      `(median ${ms(median(counted.map(({ cpu_ms }) => cpu_ms)))}), ` +
      `from tick to output ${ms(median(counted.map(({ cycle_ms }) => cycle_ms)))}, ` +
      `caused in QEMU ${ms(inQemu)} a second, ` +
      `resident ${((counted.at(-1)?.ram_rss ?? NaN) / 2 ** 20).toFixed(0)} MiB, ` +
      `${descriptors} descriptors, ${(bytes / 1024).toFixed(0)} KiB a sample`,
  );
}

/** The files that a cycle reads, each with whether it comes in pieces. */
function filesOf(lab: Lab, vms: readonly LabVm[]): [path: string, pieces: boolean][] {
  const files: [string, boolean][] = [
    ...['stat', 'loadavg', 'meminfo', 'uptime', 'pressure/cpu', 'pressure/io', 'pressure/memory'].map(
      (file): [string, boolean] => [`/proc/${file}`, false],
    ),
    ['/proc/diskstats', true],
    ['/proc/net/dev', true],
  ];
  for (const { pid } of vms) {
    for (const file of ['stat', 'status', 'io']) files.push([`/proc/${pid}/${file}`, false]);
    for (const tid of readdirSync(`/proc/${pid}/task`))
      files.push([`/proc/${pid}/task/${tid}/schedstat`, false]);
    const group = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';
    for (const file of ['cpu.stat', 'cpu.pressure', 'io.pressure', 'memory.pressure']) {
      files.push([`${lab.roots.cgroupfs}${group}/${file}`, false]);
    }
  }
  return files;
}

/** The cheapest possible loop over the same files. */
async function floor(lab: Lab, vms: readonly LabVm[]): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(64 * 1024);
  const files = filesOf(lab, vms).map(([path, pieces]) => ({ fd: openSync(path, 'r'), pieces }));
  const costs: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    const start = process.cpuUsage();
    for (const { fd, pieces } of files) {
      let at = readSync(fd, buffer, 0, buffer.length, 0);
      if (pieces) for (let n = at; n > 0; at += n) n = readSync(fd, buffer, 0, buffer.length, at);
    }
    const { user, system } = process.cpuUsage(start);
    costs.push((user + system) / 1000);
    await sleep(200);
  }
  console.log(`  floor: ${files.length} files, CPU ${ms(median(costs))} a pass`);
}

/** The stages of a cycle, timed inside this process. */
async function stages(lab: Lab): Promise<void> {
  const paths = new Paths(lab.roots);
  const log = pino({ level: 'silent' });
  const times = new Map<string, number[]>();
  const timed = <T>(name: string, work: () => T): T => {
    const start = performance.now();
    const result = work();
    const list = times.get(name) ?? [];
    list.push(performance.now() - start);
    times.set(name, list);
    return result;
  };
  const settings = { wanted: { verbose: true, devices: false }, netdev: undefined, storedev: undefined };
  const collectors = createCollectors(collectorNames, paths, settings).map((collector): Collector => ({
    name: collector.name,
    collect: (host, vms) => {
      timed(collector.name, () => {
        collector.collect(host, vms);
      });
    },
    close: () => {
      collector.close();
    },
  }));
  const connector = new ProxmoxInventory(paths, { detailInterval: 5, frequency: 1 }, log);
  const inventory = connector.guests.bind(connector);
  connector.guests = () => timed('inventory', inventory);
  const sampler = new Sampler(paths, connector, collectors, log);
  const print = { layout: 'cycle', verbose: true, devices: false, human: false, names: 'proxtop' } as const;
  const printer = createPrinter('json', print);
  connector.guests();
  await connector.poll(true);
  sampler.prime();
  await connector.poll(true);
  for (let pass = 0; pass < PASSES; pass++) {
    await sleep(200);
    const sample = timed('cycle', () => sampler.sample(0, []));
    timed('json', () => printer.print(sample));
  }
  sampler.close();
  const parts = [...times].map(([name, list]) => `${name} ${ms(median(list.slice(5)))}`);
  console.log(`  stages: ${parts.join(', ')}`);
}

const counts = process.argv.slice(2).map(Number);
for (const count of counts.length > 0 ? counts : [50, 200]) {
  const lab = Lab.create();
  try {
    console.log(`${count} VMs of 4 vCPUs`);
    const disks = [{ interface: 'scsi', size: 2 ** 24, shape: 'blockdev' }] as const;
    const vms = await lab.startMany(count, { cores: 4, disks, nics: [{ model: 'rtl8139' }] });
    // QEMU's worker threads end when they had nothing to do for 10 s.
    await sleep(12_000);
    await floor(lab, vms);
    await stages(lab);
    for (const detailInterval of [5, 1]) await wholeProgram(lab, vms, detailInterval);
  } finally {
    await lab.close();
  }
}
