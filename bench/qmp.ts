/**
 * CPU per visit to a monitor, ours and that of all threads of QEMU: stock QEMU reads its monitor in a thread of its own.
 * Run: node --import tsx bench/qmp.ts [number of QEMU processes] [rounds]
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { queryBlock } from '../src/qmp/block.ts';
import { queryBlockstats } from '../src/qmp/blockstats.ts';
import { QmpError } from '../src/qmp/errors.ts';
import { Limiter } from '../src/qmp/limiter.ts';
import { Monitor } from '../src/qmp/monitor.ts';
import { OwnMonitor } from '../src/qmp/own/own-monitor.ts';
import type { QmpQuery } from '../src/qmp/query.ts';
import { PreparedQueries } from '../src/qmp/query.ts';
import { queryBalloon, queryStatus } from '../src/qmp/replies.ts';
import { Qemu, blockdevDisks, driveDisks, removeImages } from '../test/qmp/qemu.ts';
import { compareParts, median } from './compare.ts';
import type { Figures } from './compare.ts';
import { cpuOf } from './processes.ts';

const vms = Number(process.argv[2] ?? 20);
const rounds = Number(process.argv[3] ?? 50);
const warmUp = 20;

const prepared = new PreparedQueries([queryStatus, queryBlockstats, queryBalloon]);
/** What is asked in a visit of its own when a disk changed and now and then. */
const blocks = new PreparedQueries([queryBlock]);
const limiter = new Limiter();

async function visit<Q extends readonly QmpQuery<unknown>[]>(
  monitor: Monitor,
  queries: PreparedQueries<Q>,
): Promise<void> {
  const outcome = await limiter.run(() => monitor.ask(queries));
  if (outcome instanceof QmpError) throw outcome;
}

/** Adds the medians of all rounds, which other load on the machine hardly moves. */
async function measure(
  figures: Figures,
  pids: readonly number[],
  pattern: string,
  round: () => Promise<void>,
): Promise<void> {
  const own: number[] = [];
  const caused: number[] = [];
  const elapsed: number[] = [];
  for (let i = -warmUp; i < rounds; i++) {
    await sleep(50);
    const qemu = cpuOf(pids);
    const wall = performance.now();
    const cpu = process.cpuUsage();
    await round();
    const { user, system } = process.cpuUsage(cpu);
    if (i < 0) continue;
    elapsed.push(((performance.now() - wall) * 1000) / vms);
    own.push((user + system) / vms);
    caused.push(((cpuOf(pids) - qemu) * 1000) / vms);
  }
  figures.set(`${pattern}: own CPU, us a visit`, median(own));
  figures.set(`${pattern}: caused in QEMU, us a visit`, median(caused));
  figures.set(`${pattern}: elapsed, us a visit`, median(elapsed));
}

async function measureAll(figures: Figures): Promise<void> {
  const second = ['-qmp', 'unix:proxtop.qmp,server=on,wait=off'];
  const qemus = Array.from(
    { length: vms },
    (_, i) => new Qemu([...(i % 2 === 0 ? driveDisks() : blockdevDisks()), ...second]),
  );
  try {
    const monitors = qemus.map(({ path }) => new Monitor(path, 5000));
    const pids = qemus.map(({ pid }) => pid);
    await measure(figures, pids, 'all VMs together', async () => {
      await Promise.all(monitors.map((monitor) => visit(monitor, prepared)));
    });
    await measure(figures, pids, 'block devices of all VMs', async () => {
      await Promise.all(monitors.map((monitor) => visit(monitor, blocks)));
    });
    await measure(figures, pids, 'one VM after the other', async () => {
      for (const monitor of monitors) await visit(monitor, prepared);
    });
    const own = qemus.map(
      ({ directory }, index) =>
        new OwnMonitor(join(directory, 'proxtop.qmp'), undefined, monitors[index] as Monitor, 5000),
    );
    await measure(figures, pids, 'kept connections, all VMs together', async () => {
      await Promise.all(own.map((monitor) => visit(monitor, prepared)));
    });
    for (const monitor of own) monitor.close();
  } finally {
    for (const qemu of qemus) qemu.stop();
    removeImages();
  }
}

await compareParts(import.meta.filename, measureAll);
