/**
 * What measuring a libvirt host costs, on a real libvirtd with real QEMU processes of 2 vCPUs, a disk and a NIC each,
 * which are paused, so that nothing else uses the CPU: one sample a second, defaults otherwise. Run as root:
 * node --import tsx bench/libvirt.ts [DOMAINS] (50 if not given)
 *
 * Printed per domain and second: CPU of proxtop by its own account, with the floor, which is a loop that reads the same
 * files and does nothing else; and the CPU it causes in libvirtd and in QEMU, from the schedstat of all their threads
 * against the same time without proxtop.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LabLibvirtd } from '../test/lab/libvirtd.ts';

const PROGRAM = fileURLToPath(new URL('../dist/proxtop', import.meta.url));
/** Until V8 has compiled what is hot, which takes it five minutes at one sample a second: a service runs for months. */
const WARM_UP = 300;
const SAMPLES = 120;
const IDLE_SECONDS = 20;
const AT_ONCE = 4;
const FLOOR_PASSES = 10;

interface Sample {
  readonly domains: readonly unknown[];
  readonly agent: { readonly cpu_ms: number };
}

/** CPU time of all threads of the processes, in ms. */
function cpuOf(pids: readonly number[]): number {
  let ns = 0;
  for (const pid of pids) {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      try {
        ns += Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'latin1').split(' ')[0]);
      } catch {
        continue; // A thread that just ended.
      }
    }
  }
  return ns / 1e6;
}

/** The growth of CPU time in ms a second, of libvirtd and of QEMU. */
class Meter {
  private readonly started = performance.now();
  private readonly before: number[];

  constructor(private readonly groups: readonly (readonly number[])[]) {
    this.before = groups.map(cpuOf);
  }

  read(): number[] {
    const seconds = (performance.now() - this.started) / 1000;
    return this.groups.map((pids, index) => (cpuOf(pids) - (this.before[index] ?? NaN)) / seconds);
  }
}

/** CPU of the cheapest possible loop over the files of the processes that a cycle reads, in ms a pass. */
async function floorOf(pids: readonly number[]): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(64 * 1024);
  const files = pids.flatMap((pid) => [
    ...['stat', 'io'].map((file) => `/proc/${pid}/${file}`),
    ...readdirSync(`/proc/${pid}/task`).map((tid) => `/proc/${pid}/task/${tid}/schedstat`),
  ]);
  const descriptors = files.map((path) => openSync(path, 'r'));
  let total = 0;
  for (let pass = 0; pass < FLOOR_PASSES; pass++) {
    const start = process.cpuUsage();
    for (const fd of descriptors) readSync(fd, buffer, 0, buffer.length, 0);
    const { user, system } = process.cpuUsage(start);
    total += (user + system) / 1000;
    await sleep(1000);
  }
  for (const fd of descriptors) closeSync(fd);
  return total / FLOOR_PASSES;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

async function startDomains(lab: LabLibvirtd, count: number): Promise<number[]> {
  const names = Array.from({ length: count }, (_, index) => `bench-${index}`);
  const left = names.values();
  const starter = async (): Promise<void> => {
    for (const name of left) {
      const tap = `pb${randomInt(2 ** 32).toString(36)}`;
      const devices = `<interface type='ethernet'><target dev='${tap}'/><model type='virtio'/><script path='/bin/true'/></interface>`;
      await lab.startDomain({ name, paused: true, devices });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, starter));
  return names.map((name) => lab.qemuPid(name));
}

async function measure(
  lab: LabLibvirtd,
  count: number,
  groups: readonly (readonly number[])[],
): Promise<void> {
  const idle = new Meter(groups);
  await sleep(IDLE_SECONDS * 1000);
  const [idleLibvirtd = NaN, idleQemu = NaN] = idle.read();

  const uri = `qemu+unix:///system?socket=${lab.sockets}/libvirt-sock-ro`;
  const child = spawn(PROGRAM, ['-c', uri, '--output=stdout', '--printer=json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const costs: number[] = [];
  let meter: Meter | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const { domains, agent } = JSON.parse(line) as Sample;
    if (domains.length !== count) throw new Error(`${domains.length} of ${count} domains are seen`);
    costs.push(agent.cpu_ms);
    if (costs.length === WARM_UP) meter = new Meter(groups);
    if (costs.length === WARM_UP + SAMPLES) break;
  }
  const [libvirtd = NaN, qemu = NaN] = meter?.read() ?? [];
  child.kill();
  const counted = costs.slice(WARM_UP);
  const own = counted.reduce((sum, cost) => sum + cost, 0) / SAMPLES;
  const floor = await floorOf(groups[1] ?? []);
  const caused = [libvirtd - idleLibvirtd, qemu - idleQemu] as const;
  const each = (ms: number): string => (ms / count).toFixed(3);
  console.log(
    `${count} domains, ms of CPU per domain and second: proxtop ${each(own)} (median ${each(median(counted))}, floor ${each(floor)}), ` +
      `libvirtd ${each(caused[0])} and QEMU ${each(caused[1])}, together ${each(caused[0] + caused[1])} ` +
      `(without proxtop: ${each(idleLibvirtd)} and ${each(idleQemu)})`,
  );
}

const count = Number(process.argv[2] ?? 50);
if (!Number.isSafeInteger(count) || count < 1) throw new Error('expected a number of domains');
const lab = await LabLibvirtd.start();
try {
  const qemus = await startDomains(lab, count);
  await measure(lab, count, [[lab.pid], qemus]);
} finally {
  lab.close();
}
