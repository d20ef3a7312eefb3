/**
 * A demonstration that needs no Proxmox VE and no KVM: three real QEMU VMs with different loads, beside them a container
 * where LXC can start one, proxtop measuring them, and a receiver that shows what arrives. `--seconds N` ends it by itself.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cycleTable } from './demo-view.ts';
import type { Cycle } from './demo-view.ts';
import { Lab, missingForLab } from './lab.ts';
import { PlainContainer, missingForContainer } from './plain-container.ts';
import { LineReceiver } from './receiver.ts';
import type { LabVm } from './vm.ts';

const PROXTOP = fileURLToPath(new URL('../../dist/proxtop', import.meta.url));
const COLLECTORS = ['--devices', '--cpu', '--mem', '--disk', '--net', '--io', '--pressure', '--host'];
const MIB = 2 ** 20;

/** Seconds between two turns of the story. */
const TURN = 8;
const TRAFFIC_BEAT = 250;
/** For the shell of busybox. */
const CONTAINER_LOAD =
  'while :; do i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; busybox sleep 0.2; done';

interface DemoVms {
  readonly busy: LabVm;
  readonly database: LabVm;
  readonly web: LabVm;
}

async function main(): Promise<void> {
  const end = new AbortController();
  const seconds = secondsToRun();
  const missing = missingForLab();
  if (!existsSync(PROXTOP)) missing.push(`${PROXTOP} (npm run build)`);
  if (missing.length > 0) throw new Error(`it needs ${missing.join(', ')}`);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      end.abort();
    });
  if (seconds !== undefined)
    setTimeout(() => {
      end.abort();
    }, 1000 * seconds).unref();

  const lab = Lab.create();
  try {
    const vms = await startVms(lab);
    const container = await startContainer(lab);
    const receiver = await LineReceiver.create((text) => {
      show(text);
    });
    const proxtop = startProxtop(lab, receiver.target);
    introduce(receiver.target, container !== undefined);
    try {
      await Promise.race([
        proxtop.failure,
        once(end.signal, 'abort'),
        webTraffic(lab, vms.web, end.signal),
        story(lab, vms, end.signal),
      ]);
    } finally {
      end.abort();
      await stop(proxtop.child);
      await receiver.kill();
      await container?.stop();
    }
  } finally {
    await lab.close();
  }
  console.log('Guests, taps and files of the demo are gone.');
}

function secondsToRun(): number | undefined {
  const { seconds } = parseArgs({ options: { seconds: { type: 'string' } } }).values;
  if (seconds === undefined) return undefined;
  const number = Number(seconds);
  if (!(number > 0)) throw new Error(`--seconds: expected a number above 0, found ${seconds}`);
  return number;
}

async function startVms(lab: Lab): Promise<DemoVms> {
  const busy = await lab.run({ name: 'busy', guest: 'spin', load: 3 });
  const disks = [{ interface: 'scsi', size: 64 * MIB, shape: 'blockdev' }] as const;
  const database = await lab.run({ name: 'database', guest: 'disk', load: 2, disks });
  const web = await lab.run({ name: 'web', guest: 'idle', nics: [{ model: 'rtl8139' }] });
  return { busy, database, web };
}

/** Starts a container that works a moment and rests a moment; says so where this machine cannot run one. */
async function startContainer(lab: Lab): Promise<PlainContainer | undefined> {
  const missing = missingForContainer();
  try {
    if (missing.length > 0) throw new Error(`it needs ${missing.join(', ')}`);
    return await PlainContainer.start(
      lab.root,
      lab.roots.cgroupfs,
      `cache-${randomInt(1e6)}`,
      CONTAINER_LOAD,
    );
  } catch (error) {
    console.log(`No container is shown: ${(error as Error).message}\n`);
    return undefined;
  }
}

/** Starts proxtop in a process group of its own: Ctrl-C reaches the demo alone, which then ends proxtop in order. */
function startProxtop(lab: Lab, target: string): { child: ChildProcess; failure: Promise<never> } {
  const delivery = ['--printer=json', '--output=tcp', `--target=${target}`];
  const child = spawn(PROXTOP, ['--proxmox', ...lab.flags(), ...delivery, ...COLLECTORS], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const failure = once(child, 'close').then(([code, signal]) => {
    throw new Error(`proxtop ended by itself (${String(signal ?? code)}):\n${complaints}`);
  });
  failure.catch(() => undefined); // its end is expected once the demo itself ends
  return { child, failure };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await closed;
  clearTimeout(timer);
}

function introduce(target: string, hasContainer: boolean): void {
  const beside = hasContainer ? ', and a container of LXC beside them' : '';
  console.log(
    `Three real QEMU VMs run in the layout of a Proxmox VE node${beside}; proxtop measures them\n` +
      `from outside and streams a JSON line a second to ${target}; below is what arrives there. Ctrl-C ends and removes everything.\n` +
      `  busy spins 3/8 of the time; database reads and writes a disk; web receives and sends frames.\n` +
      `  CPU and RDY (waited for a CPU) in percent of the guest's CPUs; WR ms is the mean time of a write.\n` +
      `  A dash is a value that is not known (yet); QEMU is asked for its disks every 5 s.\n`,
  );
}

function show(text: string): void {
  console.log(cycleTable(JSON.parse(text) as Cycle));
}

function note(text: string): void {
  console.log(`>>> ${text}\n`);
}

/** About 0.8 Mbit/s towards the VM and half as much back. */
async function webTraffic(lab: Lab, web: LabVm, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    await lab.sendToTap(web, 25, 1000);
    await lab.sendFromGuest(web, 25, 500);
    await pause(TRAFFIC_BEAT, end);
  }
}

/** What happens to the VMs, over and over, so that there is something to see. */
async function story(lab: Lab, { busy, database }: DemoVms, end: AbortSignal): Promise<void> {
  const turns: [text: string, act: () => Promise<unknown>][] = [
    ['busy is paused by its monitor: its CPU falls to 0', () => lab.qmp(busy, 'stop')],
    ['busy goes on', () => lab.qmp(busy, 'cont')],
    [
      'database is killed and started again: a new process, its counters start from 0, its disk is known again after 10 s',
      () => crash(lab, database),
    ],
  ];
  for (;;) {
    for (const [text, act] of turns) {
      await pause(1000 * TURN, end);
      if (end.aborted) return;
      note(text);
      await act();
    }
  }
}

async function crash(lab: Lab, vm: LabVm): Promise<void> {
  await lab.kill(vm);
  await lab.start(vm);
}

/** Waits, but not beyond the end. */
async function pause(milliseconds: number, end: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal: end }).catch(() => undefined);
}

try {
  await main();
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
