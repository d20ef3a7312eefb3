/**
 * What the whole program costs a Proxmox VE host: its own CPU and that it causes in QEMU, with default settings, with
 * detail_interval = 1, and as the terminal view (200x50). Real QEMU processes with 4 vCPUs, a disk and a NIC each, paused,
 * so that nothing else uses the CPU; all collectors, verbose, JSON, a sample a second. Run as root:
 *
 *     node --import tsx bench/program.ts          or side by side: make bench-compare BASE=664da81
 *
 * VMS=50, WARM_UP=10 and SECONDS=20 of each run, ROUNDS=3, CASES=defaults,detail_interval=1,view. V8 goes on compiling for
 * minutes: for figures of a service, which runs for months, WARM_UP=60 SECONDS=60 and as many VMs as the host has.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../test/lab/lab.ts';
import { until } from '../test/lab/processes.ts';
import { compare, count, heading, median, programOf } from './compare.ts';
import type { Build, Figures } from './compare.ts';
import { CpuMeter, childrenOf, descriptorsOf, residentMiB, serviceEnvironment } from './processes.ts';

const VMS = count('VMS', 50);
const WARM_UP = count('WARM_UP', 10);
const SECONDS = count('SECONDS', 20);
const CASES = (process.env['CASES'] ?? 'defaults,detail_interval=1,view').split(',');
const SECONDS_IDLE = 10;
/** QEMU's worker threads end when they had nothing to do for 10 s. */
const CALM = 12_000;
const STREAM =
  '--cpu --mem --disk --net --io --pressure --host --verbose --output=stdout --printer=json'.split(' ');
const SIZE = { columns: 200, rows: 50 };
/** Keys that are timed, and ms between them: no divisor of a second, so that they meet every part of a cycle. */
const KEYS = 60;
const KEY_PAUSE = 270;
/** V asks for a filter in the last line, Enter answers with none: the only keys' work that is drawn there. */
const ASK = 'V';
const ANSWER = '\r';
const LAST_LINE = `\x1b[${SIZE.rows};`;

const home = mkdtempSync(join(tmpdir(), 'proxtop-bench-'));
const lab = Lab.create();
const service = serviceEnvironment();

/** What the program and QEMU use while it runs on. @param idle ms a second that QEMU uses without it */
async function cpu(pid: number, qemus: readonly number[], idle: number, what: string): Promise<Figures> {
  await sleep(WARM_UP * 1000);
  const meter = new CpuMeter([[pid], qemus]);
  await sleep(SECONDS * 1000);
  const [own = NaN, caused = NaN] = meter.read();
  return new Map([
    [`${what}: own CPU, ms a second`, own],
    [`${what}: caused in QEMU, ms a second`, caused - idle],
    [`${what}: both, ms a second`, own + caused - idle],
    [`${what}: resident, MiB`, residentMiB(pid)],
    [`${what}: descriptors`, descriptorsOf(pid)],
  ]);
}

/** The stream of samples. */
async function stream(
  build: Build,
  what: string,
  flags: string[],
  qemus: number[],
  idle: number,
): Promise<Figures> {
  const started = performance.now();
  const child = spawn(programOf(build), ['--proxmox', ...STREAM, ...flags, ...lab.flags()], {
    env: service,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let first = NaN;
  let last = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (last === '') first = (performance.now() - started) / 1000;
    last = line;
  });
  const figures = await cpu(child.pid ?? 0, qemus, idle, what);
  child.kill();
  const { domains, agent } = JSON.parse(last) as { domains: unknown[]; agent: Record<string, number> };
  if (domains.length !== VMS) throw new Error(`${domains.length} of ${VMS} VMs are seen`);
  figures.set(`${what}: first sample after, s`, first);
  figures.set(`${what}: ticks missed`, agent['missed_ticks'] ?? NaN);
  figures.set(`${what}: a cycle, ms`, agent['cycle_ms'] ?? NaN);
  return figures;
}

/** The view on a terminal that `script` makes. */
async function view(build: Build, what: string, qemus: number[], idle: number): Promise<Figures> {
  const program = [programOf(build), '--proxmox', ...lab.flags()].join(' ');
  const command = `stty cols ${SIZE.columns} rows ${SIZE.rows}; exec ${program}`;
  const env = { ...service, TERM: 'xterm-256color', LANG: 'C.UTF-8', HOME: home };
  const script = spawn('script', ['-qfec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  let shown = '';
  script.stdout.setEncoding('latin1').on('data', (text: string) => {
    shown += text;
  });
  const started = performance.now();
  await until('a VM is shown', () => shown.includes('vm'));
  const first = (performance.now() - started) / 1000;
  const [pid = 0] = childrenOf(script.pid ?? 0);
  const figures = await cpu(pid, qemus, idle, what);
  const delays: number[] = [];
  for (let key = 0; key < KEYS; key++) {
    await sleep(KEY_PAUSE);
    shown = '';
    const pressed = performance.now();
    const drawn = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!shown.includes(LAST_LINE)) return;
        script.stdout.off('data', look);
        resolve();
      };
      script.stdout.on('data', look);
    });
    script.stdin.write(key % 2 === 0 ? ASK : ANSWER);
    await drawn;
    delays.push(performance.now() - pressed);
  }
  script.stdin.write('q');
  await new Promise((resolve) => script.once('exit', resolve));
  figures.set(`${what}: first VM after, s`, first);
  figures.set(`${what}: key to screen, median ms`, median(delays));
  figures.set(`${what}: key to screen, most ms`, Math.max(...delays));
  return figures;
}

heading(`${VMS} VMs of 4 vCPUs`);
try {
  const disks = [{ interface: 'scsi', size: 2 ** 24, shape: 'blockdev' }] as const;
  const vms = await lab.startMany(VMS, { cores: 4, disks, nics: [{ model: 'rtl8139' }] });
  const qemus = vms.map(({ runningPid }) => runningPid);
  await sleep(CALM);
  const meter = new CpuMeter([qemus]);
  await sleep(SECONDS_IDLE * 1000);
  const [idle = NaN] = meter.read();
  for (const name of CASES) {
    await compare(async (build) => {
      if (name === 'view') return view(build, name, qemus, idle);
      const flags = name === 'defaults' ? [] : [`--${name.replace('_', '-')}`];
      return stream(build, name, flags, qemus, idle);
    });
  }
} finally {
  await lab.close();
  rmSync(home, { recursive: true, force: true });
}
