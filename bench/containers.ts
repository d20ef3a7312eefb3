/**
 * What a container costs in a cycle, by real cgroups with a process each; 40 us is the aim. Run as root:
 * node --import tsx bench/containers.ts [CONTAINERS] (200 if not named)
 *
 * Where cgroup v2 has no controllers the files of memory, I/O and pids are not there: then their part is missing in the figure.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createCollectors } from '../src/collectors/index.ts';
import { ContainerInventory } from '../src/guests/containers/containers.ts';
import { defaultRoots, Paths } from '../src/kernel/base/paths.ts';
import { collectorNames } from '../src/catalogue/catalogue.ts';
import { Sampler } from '../src/sampling/sampler.ts';
import { cgroupMount } from '../test/lab/cgroup.ts';
import { until } from '../test/lab/processes.ts';

const CYCLES = 60;
const INTERVAL = 250;
const count = Number(process.argv[2] ?? 200);
const root = join(cgroupMount(), `proxtop-bench-${process.pid}`);
const paths = new Paths({ ...defaultRoots, cgroupfs: root });
const log = pino({ level: 'silent' });

/** CPU time in us of a cycle of the given inventory, all collectors, mean over {@link CYCLES}. */
async function cycleCost(inventory: ContainerInventory): Promise<number> {
  const wanted = { verbose: false, devices: false };
  const collectors = createCollectors(collectorNames, paths, {
    wanted,
    netdev: undefined,
    storedev: undefined,
  });
  const sampler = new Sampler(paths, inventory, collectors, log);
  for (let i = 0; i < 5; i++) sampler.prime();
  await inventory.poll();
  let spent = 0;
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    await sleep(INTERVAL);
    const before = process.cpuUsage();
    sampler.sample(0, []);
    const { user, system } = process.cpuUsage(before);
    spent += user + system;
  }
  sampler.close();
  return spent / CYCLES;
}

const processes: ChildProcess[] = [];
const groups: string[] = [root, join(root, 'lxc')];
for (const group of groups) mkdirSync(group);
try {
  const empty = await cycleCost(new ContainerInventory(paths, log));
  for (let i = 0; i < count; i++) {
    const group = join(root, 'lxc', String(1000 + i));
    mkdirSync(group);
    groups.push(group);
    const child = spawn('sleep', ['infinity'], { stdio: 'ignore' });
    processes.push(child);
    writeFileSync(join(group, 'cgroup.procs'), String(child.pid));
  }
  const inventory = new ContainerInventory(paths, log);
  // Nobody started them that could be asked for their first process: they are taken without.
  await until('all containers are found', () => inventory.guests().length === count);
  const full = await cycleCost(inventory);
  console.log(
    `${count} containers: ${((full - empty) / count).toFixed(1)} us CPU for each and cycle, ${(empty / 1000).toFixed(2)} ms without any`,
  );
} finally {
  for (const child of processes) child.kill();
  for (const group of groups.reverse())
    await until(`${group} is gone`, () => {
      try {
        rmdirSync(group);
        return true;
      } catch {
        return false;
      }
    });
}
