/**
 * Containers: what each costs in a cycle beside VMs, 40 us is the aim; then many that start and stop without end, which must
 * make no sample late. Real cgroups in the layout of Proxmox VE with a first process in a pid namespace of its own, real
 * paused VMs. Run as root:
 *
 *     VMS=200 CONTAINERS=200 CHURNING=500 SECONDS=30 node --import tsx bench/containers.ts
 *
 * Where cgroup v2 has no controllers the files of memory, I/O and pids are not there: then their part is missing in the figures.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createCollectors } from '../src/collectors/index.ts';
import { ContainerInventory } from '../src/guests/containers/containers.ts';
import type { Inventory } from '../src/guests/inventory.ts';
import { Node } from '../src/guests/node.ts';
import { ProxmoxInventory } from '../src/guests/proxmox/proxmox.ts';
import { Paths, defaultRoots } from '../src/kernel/base/paths.ts';
import { Attempts } from '../src/base/pacing/attempts.ts';
import { collectorNames } from '../src/catalogue/catalogue.ts';
import { Sampler } from '../src/sampling/sampler.ts';
import { cgroupMount } from '../test/lab/cgroup.ts';
import { ContainerHost } from '../test/lab/container-host.ts';
import { Lab } from '../test/lab/lab.ts';
import { until } from '../test/lab/processes.ts';
import { count, median } from './compare.ts';
import { BareContainers } from './bare-containers.ts';
import { serviceEnvironment } from './processes.ts';

const VMS = count('VMS', 200);
const CONTAINERS = count('CONTAINERS', 200);
const CHURNING = count('CHURNING', 500);
const SECONDS = count('SECONDS', 30);
const CYCLES = 60;
const INTERVAL = 250;
const PROXTOP = new URL('../dist/proxtop', import.meta.url).pathname;
/** Says that the process is in the host that was made for it. */
const INSIDE = '--inside';
const log = pino({ level: 'silent' });

/** us of CPU that a cycle costs with these guests, all collectors: the one in the middle of {@link CYCLES}. */
async function cycleCost(members: readonly Inventory[], guests: number): Promise<number> {
  const paths = new Paths(defaultRoots);
  const node = new Node(members, new Attempts(log, { errors: 0 }));
  const wanted = { verbose: false, devices: false };
  const collectors = createCollectors(collectorNames, paths, {
    wanted,
    netdev: undefined,
    storedev: undefined,
  });
  const sampler = new Sampler(paths, node, collectors, log);
  await until(`${guests} guests are found`, () => node.guests().length === guests);
  for (let i = 0; i < 5; i++) sampler.prime();
  await node.poll();
  const costs: number[] = [];
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    await sleep(INTERVAL);
    const before = process.cpuUsage();
    sampler.sample(0, []);
    const { user, system } = process.cpuUsage(before);
    costs.push(user + system);
  }
  sampler.close();
  return median(costs);
}

/** What a container and a VM cost side by side. */
async function sideBySide(containers: BareContainers): Promise<void> {
  const lab = Lab.create();
  try {
    const vms = (): Inventory =>
      new ProxmoxInventory(
        new Paths({ ...defaultRoots, ...lab.roots }),
        { detailInterval: undefined, frequency: 1 },
        log,
      );
    const inContainers = (): Inventory => new ContainerInventory(containers.paths, log);
    const nothing = await cycleCost([vms(), inContainers()], 0);
    await lab.startMany(VMS, { cores: 4 });
    const before = await cycleCost([vms(), inContainers()], VMS);
    await containers.start(CONTAINERS);
    const both = await cycleCost([vms(), inContainers()], VMS + CONTAINERS);
    const alone = await cycleCost([inContainers()], CONTAINERS);
    console.log(`${VMS} VMs: ${((before - nothing) / VMS).toFixed(1)} us CPU for each and cycle`);
    console.log(
      `${CONTAINERS} containers beside them: ${((both - before) / CONTAINERS).toFixed(1)} us CPU for each and cycle`,
    );
    console.log(
      `${CONTAINERS} containers alone: ${((alone - nothing) / CONTAINERS).toFixed(1)} us CPU for each and cycle`,
    );
  } finally {
    await lab.close();
    await containers.stop();
  }
}

/** The program with a sample a second, while containers start and stop as fast as the machine can. */
async function churn(containers: BareContainers): Promise<void> {
  const args = [
    '--containers',
    '--printer=json',
    '--verbose',
    '--log-level=error',
    '--frequency=1',
    '--cgroupfs',
    containers.paths.roots.cgroupfs,
  ];
  const proxtop = spawn(PROXTOP, args, { env: serviceEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] });
  // What is late is to be proxtop's doing, and not that of processes that wait for a CPU too.
  if (proxtop.pid !== undefined) setPriority(proxtop.pid, -15);
  const cycles: { guests: number; ms: number; missed: number }[] = [];
  createInterface({ input: proxtop.stdout }).on('line', (line) => {
    const { domains, agent } = JSON.parse(line) as { domains: unknown[]; agent: Record<string, number> };
    cycles.push({
      guests: domains.length,
      ms: agent['cycle_ms'] ?? NaN,
      missed: agent['missed_ticks'] ?? NaN,
    });
  });
  await until('a first sample', () => cycles.length > 0);
  const end = performance.now() + SECONDS * 1000;
  let rounds = 0;
  for (; performance.now() < end; rounds++) {
    await containers.start(CHURNING);
    await containers.stop();
  }
  const ended = once(proxtop, 'exit');
  proxtop.kill();
  await ended;
  const times = cycles.map(({ ms }) => ms).filter(Number.isFinite);
  const seen = Math.max(...cycles.map(({ guests }) => guests));
  const [first, last] = [cycles[0], cycles.at(-1)];
  console.log(
    `${CHURNING} containers start and stop, ${rounds} times in ${SECONDS} s (at most ${seen} at once in a sample): ` +
      `${(last?.missed ?? NaN) - (first?.missed ?? NaN)} of ${cycles.length} samples late, a cycle ` +
      `${median(times).toFixed(1)} ms, the longest ${Math.max(...times).toFixed(1)} ms`,
  );
}

/** Measures, in namespaces of its own, so that no other process takes its cgroups for containers. */
async function measure(): Promise<void> {
  const containers = new BareContainers();
  try {
    await sideBySide(containers);
    await churn(containers);
  } finally {
    await containers.close();
  }
}

if (process.argv[2] === INSIDE) await measure();
else {
  const host = await ContainerHost.create(cgroupMount());
  const loader = import.meta.resolve('tsx');
  const [program = '', ...args] = host.inside(
    process.execPath,
    '--import',
    loader,
    import.meta.filename,
    INSIDE,
  );
  const child = spawn(program, args, { stdio: 'inherit' });
  await once(child, 'exit');
  await host.close();
  process.exitCode = child.exitCode ?? 1;
}
