// CPU per visit to a monitor: npx tsx bench/qmp.ts [number of QEMU processes] [rounds]
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { queryBlock } from '../src/qmp/block.ts';
import { queryBlockstats } from '../src/qmp/blockstats.ts';
import { QmpError } from '../src/qmp/errors.ts';
import { Limiter } from '../src/qmp/limiter.ts';
import { Monitor } from '../src/qmp/monitor.ts';
import type { QmpQuery } from '../src/qmp/query.ts';
import { PreparedQueries } from '../src/qmp/query.ts';
import { queryBalloon, queryStatus } from '../src/qmp/replies.ts';
import { Qemu, blockdevDisks, driveDisks, removeImages } from '../test/qmp/qemu.ts';

const vms = Number(process.argv[2] ?? 20);
const rounds = Number(process.argv[3] ?? 50);
const warmUp = 20;

const qemus = Array.from({ length: vms }, (_, i) => new Qemu(i % 2 === 0 ? driveDisks() : blockdevDisks()));
const prepared = new PreparedQueries([queryStatus, queryBlockstats, queryBalloon]);
/** What is asked in a visit of its own when a disk changed and now and then. */
const blocks = new PreparedQueries([queryBlock]);
const monitors = qemus.map(({ path }) => new Monitor(path, 5000));
const limiter = new Limiter();

async function visit<Q extends readonly QmpQuery<unknown>[]>(
  monitor: Monitor,
  queries: PreparedQueries<Q>,
): Promise<void> {
  const outcome = await limiter.run(() => monitor.ask(queries));
  if (outcome instanceof QmpError) throw outcome;
}

/** CPU time of all QEMU processes in us (their main threads: that is where the monitor runs). */
function qemuTime(): number {
  return (
    qemus.reduce(
      (sum, { pid }) => sum + Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]),
      0,
    ) / 1000
  );
}

/** Prints the medians over all rounds, which other load on the machine hardly moves. */
async function measure(pattern: string, round: () => Promise<void>): Promise<void> {
  const figures: { user: number; system: number; qemu: number; wall: number }[] = [];
  for (let i = -warmUp; i < rounds; i++) {
    await sleep(50);
    const qemu = qemuTime();
    const wall = performance.now();
    const cpu = process.cpuUsage();
    await round();
    const { user, system } = process.cpuUsage(cpu);
    if (i >= 0)
      figures.push({ user, system, wall: (performance.now() - wall) * 1000, qemu: qemuTime() - qemu });
  }
  const median = (key: keyof (typeof figures)[number]): string => {
    const sorted = figures.map((figure) => figure[key] / vms).sort((a, b) => a - b);
    return (sorted[sorted.length >> 1] ?? NaN).toFixed(0);
  };
  console.log(
    `${pattern}: per visit ${median('user')} us user + ${median('system')} us system, ` +
      `QEMU ${median('qemu')} us, elapsed ${median('wall')} us`,
  );
}

try {
  await measure('all VMs together', async () => {
    await Promise.all(monitors.map((monitor) => visit(monitor, prepared)));
  });
  await measure('block devices of all VMs together', async () => {
    await Promise.all(monitors.map((monitor) => visit(monitor, blocks)));
  });
  await measure('one VM after the other', async () => {
    for (const monitor of monitors) await visit(monitor, prepared);
  });
} finally {
  for (const qemu of qemus) qemu.stop();
  removeImages();
}
