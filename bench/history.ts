/**
 * The history of a host of 200 VMs with all devices and metrics, a sample a second. What it costs to keep, what it takes on
 * disk, and how long it takes to open a week and to jump. The values are synthetic, or those of the guests of a recording,
 * over and over, each time with noise of 10 %. Run: node --import tsx bench/history.ts [VMS [RECORDING]]
 *
 * The recording is to have all: proxtop -f 1 -a --devices --cpu --mem --disk --net --io --pressure --host --record FILE
 */
import { createHash } from 'node:crypto';
import { linkSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { collectorNames, columns } from '../src/catalogue/catalogue.ts';
import { Row } from '../src/catalogue/row.ts';
import { listsOf, partsOf, rowsOf } from '../src/catalogue/row-tree.ts';
import type { AnyRowTree, RowTree } from '../src/catalogue/row-tree.ts';
import { newFile } from '../src/history/files.ts';
import { HistoryRecording } from '../src/history/history-recording.ts';
import { everything } from '../src/history/span.ts';
import { HistoryWriter } from '../src/history/writer.ts';
import { readSamples } from '../src/recording/recording.ts';
import type { GuestRows, Sample } from '../src/sampling/sample.ts';
import { compareParts } from './compare.ts';
import type { Figures } from './compare.ts';
import { random, start, syntheticHost } from './synthetic-host.ts';

const vmCount = Number(process.argv[2] ?? 200);
const recording = process.argv[3];
const HOUR = 3_600_000;
const sampleAt = syntheticHost(vmCount);

/** Which copy of a guest, and by what its numbers are multiplied. */
interface Copy {
  readonly copy: number;
  readonly factor: number;
}

const emptied = <R extends 'host' | 'vm' | 'agent'>(root: R, of: RowTree<R>): RowTree<R> => ({
  row: new Row(root),
  ...listsOf(root, (part) => rowsOf(of as AnyRowTree, part).map(() => new Row(part.scope))),
});

/** A UUID of a copy: as random as those of real guests. */
function uuidOf(text: string, copy: number): string {
  const digits = createHash('md5').update(`${copy}${text}`).digest('hex');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Copies values, with noise: all of a guest by one factor, as its devices and it tell of the same. */
function copyRow(from: Row, to: Row, { copy, factor }: Copy): void {
  to.clear();
  for (const { slot, kind, id } of columns(from.scope)) {
    const value = from.values[slot] as number;
    const text = from.texts[slot];
    if (text === undefined) to.values[slot] = kind === 'gauge' ? value : value * factor;
    else if (id === 'UUID') to.texts[slot] = uuidOf(text, copy);
    else to.texts[slot] = ['name', 'pid'].includes(id) ? `${copy}${text}` : text;
  }
}

function copyTree<R extends 'host' | 'vm' | 'agent'>(from: RowTree<R>, copy: Copy): RowTree<R> {
  const to = emptied(from.row.scope as R, from);
  copyRow(from.row, to.row, copy);
  for (const part of partsOf(from.row.scope as R))
    for (const [index, row] of rowsOf(from as AnyRowTree, part).entries())
      copyRow(row, rowsOf(to as AnyRowTree, part)[index] as Row, copy);
  return to;
}

/** The samples of a recording from the beginning again and again, with as many VMs as are wanted. */
async function* recorded(path: string): AsyncGenerator<Sample, never> {
  for (let seq = 1; ;)
    for await (const sample of readSamples(path, { records: 0 })) {
      const copies = Array.from({ length: vmCount }, (_, index): GuestRows => {
        const original = sample.guests[index % sample.guests.length] as GuestRows;
        const copy = 10 + Math.floor(index / sample.guests.length);
        const key = `${copy} ${original.guest.key}`;
        const factor = 0.95 + random() / 10;
        return {
          guest: { ...original.guest, key },
          twin: false,
          ...copyTree<'vm'>(original, { copy, factor }),
        };
      });
      yield { ...sample, time: start + seq * 1000 + 2, seq: seq++, interval: 1, guests: copies };
    }
}

async function* synthetic(): AsyncGenerator<Sample, never> {
  for (let second = 1; ; second++) yield await Promise.resolve(sampleAt(second));
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Writes some minutes and reports the cost, beside that of making the samples. */
async function keep(directory: string, seconds: number, figures: Figures): Promise<void> {
  const settings = {
    directory,
    interval: 10,
    keep: 365 * 86_400,
    maxBytes: 2 ** 34,
    collectors: collectorNames,
  };
  const writer = new HistoryWriter(settings, pino({ level: 'warn' }));
  const samples = recording === undefined ? synthetic() : recorded(recording);
  let making = 0;
  const before = process.cpuUsage();
  for (let second = 1; second <= seconds; second++) {
    const made = process.cpuUsage();
    const { value: sample } = await samples.next();
    making += cpuSince(made);
    writer.write(sample);
    if (second % 60 === 0) await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await writer.close(60_000);
  await samples.return(undefined as never);
  figures.set(`${vmCount} VMs, kept: CPU, ms a second`, (cpuSince(before) - making) / seconds);
  const bytes = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  figures.set(`${vmCount} VMs, kept: MB a VM and day`, ((bytes / seconds) * 86_400) / vmCount / 1e6);
}

/** Opens a week made of copies of one hour, and jumps about in it. */
async function open(directory: string, figures: Figures): Promise<void> {
  const opened = performance.now();
  const recording = await HistoryRecording.open(directory, everything);
  figures.set('a week opened, ms', performance.now() - opened);
  const { length } = recording;
  let worst = 0;
  for (let jump = 0; jump < 20; jump++) {
    const began = performance.now();
    const index = await recording.indexAt(recording.timeAt(Math.floor(random() * length)));
    await recording.at(index);
    worst = Math.max(worst, performance.now() - began);
  }
  figures.set('the longest of 20 jumps, ms', worst);
  await recording.close();
}

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-history-'));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

await compareParts(import.meta.filename, async (figures) => {
  await inDirectory((directory) => keep(directory, 600, figures));
  await inDirectory(async (directory) => {
    // Ends before the hour does.
    await keep(directory, 3590, new Map());
    const [name = ''] = readdirSync(directory);
    for (let hour = 1; hour < 24 * 7; hour++)
      linkSync(join(directory, name), newFile(directory, hour + 1, start + hour * HOUR).path);
    await open(directory, figures);
  });
});
