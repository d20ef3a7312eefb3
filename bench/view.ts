/**
 * What a frame of the terminal view costs, without the terminal: a sample of many VMs in which every number differs from
 * the one before, copied, remembered, filtered, sorted, drawn, and compared with the frame before.
 * Run: npx tsx bench/view.ts [VMS] (500 if none is named)
 */
import { RecentValues } from '../src/tui/analysis/recent-values.ts';
import { defaultPreferences } from '../src/tui/preferences.ts';
import { Snapshots } from '../src/tui/snapshot.ts';
import { TableControl } from '../src/tui/table/table-control.ts';
import { Cells } from '../src/tui/screen/cells.ts';
import { switches } from '../src/tui/screen/palette.ts';
import { viewOf } from '../src/tui/table/views.ts';
import type { Sample, GuestRows } from '../src/sampling/sample.ts';
import { manyVms, sample } from '../test/tui/samples.ts';
import { compareParts } from './compare.ts';

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

/** ms of CPU a frame, and bytes written for it. */
function measure(of: Sample, key: string, filter: string): { cpu: number; bytes: number } {
  const control = new TableControl(defaultPreferences(), () => 'ok');
  const view = viewOf(key);
  if (view !== undefined) control.show(view);
  control.filter = filter;
  const snapshots = new Snapshots();
  const history = new RecentValues();
  const cells = new Cells(switches(8), true);
  cells.reset(SIZE);
  let spent = 0;
  let bytes = 0;
  for (let frame = -WARM_UP; frame < FRAMES; frame++) {
    change(of.guests);
    const before = process.cpuUsage();
    const copy = snapshots.copy({ ...of, time: of.time + frame * 1000 });
    history.add(copy);
    const lines = control.lines(copy, { columns: SIZE.columns, rows: SIZE.rows - 2 });
    for (let row = 0; row < SIZE.rows; row++) cells.set(row, lines[row] ?? []);
    const written = Buffer.byteLength(cells.changes());
    const { user, system } = process.cpuUsage(before);
    if (frame < 0) continue;
    spent += user + system;
    bytes += written;
  }
  return { cpu: spent / 1000 / FRAMES, bytes: bytes / FRAMES };
}

const count = Number(process.argv[2] ?? 500);
const of = sample(manyVms(count));
await compareParts(import.meta.filename, (figures) => {
  for (const [key, filter] of [
    ['a', ''],
    ['c', ''],
    ['d', ''],
    ['a', 'vm-1'],
  ] as const) {
    const { cpu, bytes } = measure(of, key, filter);
    const what = `${count} VMs, view ${key}${filter === '' ? '' : ', filtered'}`;
    figures.set(`${what}: CPU, ms a frame`, cpu);
    figures.set(`${what}: KiB a frame`, bytes / 1024);
  }
});
