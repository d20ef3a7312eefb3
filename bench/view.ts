/**
 * What a frame of the terminal view costs, without the terminal: a sample of many VMs in which every number differs from
 * the one before, copied, judged, remembered, filtered, sorted, drawn, and compared with the frame before. Then what a key
 * that changes the table takes, what it takes to keep a moment in memory, and to show one again; and how long at most a key waits
 * while a moment is made and kept, in the middle of all moments.
 * Run: npx tsx bench/view.ts [VMS] (500 if none is named)
 */
import { resolveThresholds } from '../src/config/thresholds.ts';
import { judge } from '../src/tui/analysis/grade.ts';
import { MomentMaker } from '../src/tui/moments/moment-maker.ts';
import { RecentSamples } from '../src/tui/moments/recent-samples.ts';
import { defaultPreferences } from '../src/tui/preferences.ts';
import { TableControl } from '../src/tui/table/table-control.ts';
import { Cells } from '../src/tui/screen/cells.ts';
import { switches } from '../src/tui/screen/palette.ts';
import { viewOf } from '../src/tui/table/views.ts';
import type { Sample, GuestRows } from '../src/sampling/sample.ts';
import { row } from '../test/formats/sample.ts';
import { manyVms, sample } from '../test/tui/samples.ts';
import { setImmediate as turn } from 'node:timers/promises';
import { compareParts, median } from './compare.ts';

const FRAMES = 200;
const WARM_UP = 50;
const SIZE = { columns: 200, rows: 50 };

/** Gives every known number of the VMs another value. */
function change(vms: readonly GuestRows[]): void {
  for (const { row, vcpus, disks, nics } of vms) {
    for (const { values } of [row, ...vcpus, ...disks, ...nics]) {
      for (let slot = 0; slot < values.length; slot++)
        values[slot] = (values[slot] ?? NaN) * (0.5 + Math.random());
    }
  }
}

/** ms of CPU a frame, ms that a key takes at most of a hundred, and bytes written for a frame. */
function measure(of: Sample, key: string, filter: string): { cpu: number; slowest: number; bytes: number } {
  const thresholds = resolveThresholds(new Map());
  const control = new TableControl(defaultPreferences(), (id, value, on) => judge(thresholds, id, value, on));
  const view = viewOf(key);
  if (view !== undefined) control.show(view);
  control.filter = filter;
  const maker = new MomentMaker();
  const cells = new Cells(switches(8), true);
  cells.reset(SIZE);
  let spent = 0;
  let bytes = 0;
  const draw = (moment: ReturnType<MomentMaker['take']>): number => {
    const lines = control.lines(moment.sample, { columns: SIZE.columns, rows: SIZE.rows - 2 }, moment);
    for (let line = 0; line < SIZE.rows; line++) cells.set(line, lines[line] ?? []);
    return Buffer.byteLength(cells.changes());
  };
  const keys: number[] = [];
  for (let frame = -WARM_UP; frame < FRAMES; frame++) {
    change(of.guests);
    const before = process.cpuUsage();
    const moment = maker.take({ ...of, seq: of.seq + frame, interval: 1, time: of.time + frame * 1000 });
    const written = draw(moment);
    const { user, system } = process.cpuUsage(before);
    if (frame < 0) continue;
    spent += user + system;
    bytes += written;
    if (frame % 2 === 0) continue;
    const pressed = performance.now();
    control.reverse();
    control.cursor.move(1);
    draw(moment);
    keys.push(performance.now() - pressed);
  }
  return { cpu: spent / 1000 / FRAMES, slowest: Math.max(...keys), bytes: bytes / FRAMES };
}

/** ms of CPU for keeping a moment in memory, and ms for showing one again. */
async function measurePast(of: Sample): Promise<{ keep: number; show: number; wait: number; bytes: number }> {
  let [looked, longest] = [0, 0];
  const attend = (): void => {
    longest = Math.max(longest, performance.now() - looked);
    looked = performance.now();
  };
  const [maker, recent] = [new MomentMaker(undefined, attend), new RecentSamples(undefined, attend)];
  const waits: number[] = [];
  const before = process.cpuUsage();
  let judged = 0;
  for (let second = 0; second < FRAMES; second++) {
    change(of.guests);
    [looked, longest] = [performance.now(), 0];
    const start = process.cpuUsage();
    const moment = maker.take({ ...of, seq: second + 1, interval: 1, time: of.time + second * 1000 });
    judged += process.cpuUsage(start).user;
    recent.keep(moment);
    attend();
    waits.push(longest);
    await turn();
  }
  const { user, system } = process.cpuUsage(before);
  const shown = performance.now();
  for (let second = 0; second < FRAMES; second++) await recent.from(of.time + second * 1000);
  return {
    keep: (user + system - judged) / 1000 / FRAMES,
    show: (performance.now() - shown) / FRAMES,
    wait: median(waits),
    bytes: recent.bytes / FRAMES,
  };
}

const count = Number(process.argv[2] ?? 500);
const cpus = Array.from({ length: 128 }, (_, cpu) =>
  row('host_cpu', { device: String(cpu), cpu_busy: cpu % 101 }),
);
const of = sample(manyVms(count), { host: { row: row('host', { cpu_cores: 128, cpu_idle: 5 }), cpus } });
await compareParts(import.meta.filename, async (figures) => {
  for (const [key, filter] of [
    ['a', ''],
    ['c', ''],
    ['d', ''],
    ['a', 'vm-1'],
  ] as const) {
    const { cpu, slowest, bytes } = measure(of, key, filter);
    const what = `${count} VMs, view ${key}${filter === '' ? '' : ', filtered'}`;
    figures.set(`${what}: CPU, ms a frame`, cpu);
    figures.set(`${what}: ms of the slowest key`, slowest);
    figures.set(`${what}: KiB a frame`, bytes / 1024);
  }
  const { keep, show, wait, bytes } = await measurePast(of);
  figures.set(`${count} VMs: ms of CPU to keep a moment, on all threads`, keep);
  figures.set(`${count} VMs: ms to show one again`, show);
  figures.set(`${count} VMs: ms that a key waits at most for a moment`, wait);
  figures.set(`${count} VMs: KiB of a moment`, bytes / 1024);
});
