import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../delivery/helpers.ts';
import { ChaosLab, type Run, type Sample } from './chaos-lab.ts';

/** Seconds of chaos in each of the two tests; PROXTOP_CHAOS=85 makes it three minutes in all. */
const seconds = Number(process.env['PROXTOP_CHAOS'] ?? 22);
const built = existsSync(new URL('../../dist/proxtop', import.meta.url));

/**
 * ms before a kill from which on samples may be missing, as documented: a broken connection is noticed after at most
 * two and a half times `timeout` (1 s here), what then waits is on disk `spool_sync` (0.3 s) later. The rest is for a
 * busy machine.
 */
const killBound = 2500 + 300 + 2200;

/** Everything that happens, at random, each time for a while. */
type Event = 'receiver killed' | 'network cut' | 'disk full' | 'SIGTERM' | 'SIGKILL';

/** Lets things happen for a while; then all works, everything is delivered and the last run ended. */
async function chaos(lab: ChaosLab, events: readonly Event[]): Promise<Event[]> {
  await lab.startReceiver();
  let run = lab.start();
  const happened: Event[] = [];
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    await sleep(200 + Math.random() * 1500);
    // Sometimes two at once.
    const now = [events, events].slice(Math.random() < 0.4 ? 0 : 1).map((all) => pick(all));
    for (const event of now) run = await begin(lab, event, run);
    happened.push(...now);
    await sleep(Math.random() * 2500);
    for (const event of now) {
      if (event === 'network cut') lab.network(true);
      if (event === 'disk full') lab.diskFull(false);
      if (event === 'receiver killed' && !lab.receiving) await lab.startReceiver();
    }
  }
  await until(() => delivered(lab), 'everything is delivered', 30_000);
  await lab.end(run, 'SIGTERM');
  return happened;
}

async function begin(lab: ChaosLab, event: Event, run: Run): Promise<Run> {
  switch (event) {
    case 'receiver killed':
      if (lab.receiving) await lab.killReceiver();
      return run;
    case 'network cut':
      lab.network(false);
      return run;
    case 'disk full':
      lab.diskFull(true);
      return run;
    case 'SIGTERM':
    case 'SIGKILL':
      await lab.end(run, event);
      return lab.start();
  }
}

function pick<T>(all: readonly T[]): T {
  return all[Math.floor(Math.random() * all.length)]!;
}

/** Whether the last sample that the file has says that nothing waits, and the samples arrive. */
function delivered(lab: ChaosLab): boolean {
  const last = lab.sampled.at(-1);
  return last !== undefined && last.waiting <= 1 && Date.now() - last.time < 1000;
}

/** Records that all runs counted as given up: as the log says at the end, else as the last sample says. */
function countedLost(lab: ChaosLab, sampled: readonly Sample[]): number {
  const told = lab.runs.map(
    ({ log }) => /^.*?(\d+) records were dropped since the start: .*$/m.exec(log)?.[1],
  );
  const orderly = told.reduce((sum, count) => sum + Number(count ?? 0), 0);
  const lastOf = new Map(sampled.map((sample) => [sample.run, sample]));
  const killed = lab.runs.flatMap((run) => (run.killed === undefined ? [] : [run.killed]));
  const cut = [...lastOf.values()].filter(({ time }) => killed.some((at) => time <= at && at - time < 1000));
  return orderly + cut.reduce((sum, { dropped }) => sum + dropped, 0);
}

function report(t: TestContext, lab: ChaosLab, happened: readonly Event[], counts: object): void {
  const numbers = Object.fromEntries(
    [...new Set(happened)].map((one) => [one, happened.filter((e) => e === one).length]),
  );
  t.diagnostic(JSON.stringify({ ...numbers, starts: lab.runs.length, ...counts }));
}

const skip = !built && 'needs dist/proxtop (npm run build)';

test('whatever happens around it, every sample arrives or is counted as lost', { skip }, async (t) => {
  const lab = ChaosLab.create(t);
  if (lab === undefined) {
    t.skip('needs the right to make a network namespace and to mount');
    return;
  }
  const happened = await chaos(lab, ['receiver killed', 'network cut', 'disk full', 'SIGTERM']);
  const { sampled, arrived } = lab;
  const keys = new Set(arrived.map(({ key }) => key));
  const missing = sampled.filter(({ key }) => !keys.has(key));
  const counted = countedLost(lab, sampled);
  report(t, lab, happened, {
    sampled: sampled.length,
    arrived: arrived.length,
    missing: missing.length,
    counted,
  });
  assert.equal(new Set(sampled.map(({ key }) => key)).size, sampled.length);
  assert.ok(sampled.length > seconds * 2, `${sampled.length} samples`);
  assert.equal(missing.length, counted, lab.runs.map(({ log }) => log).join('\n---\n'));
});

test(
  'with kills of proxtop too: what is missing was taken just before a kill, or is counted',
  { skip },
  async (t) => {
    const lab = ChaosLab.create(t);
    if (lab === undefined) {
      t.skip('needs the right to make a network namespace and to mount');
      return;
    }
    const happened = await chaos(lab, [
      'receiver killed',
      'network cut',
      'disk full',
      'SIGTERM',
      'SIGKILL',
      'SIGKILL',
    ]);
    const { sampled, arrived } = lab;
    const keys = new Set(arrived.map(({ key }) => key));
    const missing = sampled.filter(({ key }) => !keys.has(key));
    const unexplained = missing.filter(
      ({ time }) => !lab.runs.some(({ killed }) => explains(lab, killed, time)),
    );
    const counted = countedLost(lab, sampled);
    report(t, lab, happened, {
      sampled: sampled.length,
      arrived: arrived.length,
      missing: missing.length,
      unexplained: unexplained.length,
      counted,
    });
    assert.ok(sampled.length > seconds * 2, `${sampled.length} samples`);
    assert.ok(unexplained.length <= counted, lab.runs.map(({ log }) => log).join('\n---\n'));
  },
);

/** Whether a sample of this time may be missing because of this kill: while the disk is full all that waits is in memory. */
function explains(lab: ChaosLab, killed: number | undefined, time: number): boolean {
  if (killed === undefined || time > killed) return false;
  const full = lab.fullTimes.find(({ from, to }) => from < killed && killed < to + 2000);
  return time > Math.min(killed, full?.from ?? Infinity) - killBound;
}
