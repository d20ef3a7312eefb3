/**
 * The history of a synthetic host: 200 VMs with all devices and metrics, a sample a second. What it costs to keep, what it
 * takes on disk, and how long it takes to open a week and to jump. Run: node --import tsx bench/history.ts [VMS]
 */
import { linkSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { collectorNames } from '../src/catalogue/catalogue.ts';
import { newFile } from '../src/history/files.ts';
import { HistoryRecording } from '../src/history/history-recording.ts';
import { everything } from '../src/history/span.ts';
import { HistoryWriter } from '../src/history/writer.ts';
import { compareParts } from './compare.ts';
import type { Figures } from './compare.ts';
import { random, start, syntheticHost } from './synthetic-host.ts';

const vmCount = Number(process.argv[2] ?? 200);
const HOUR = 3_600_000;
const sampleAt = syntheticHost(vmCount);

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Writes some minutes and tells what that costs, beside what it costs to make the samples. */
async function keep(directory: string, seconds: number, figures: Figures): Promise<void> {
  const settings = {
    directory,
    interval: 10,
    keep: 365 * 86_400,
    maxBytes: 2 ** 34,
    collectors: collectorNames,
  };
  const writer = new HistoryWriter(settings, pino({ level: 'warn' }));
  let making = 0;
  const before = process.cpuUsage();
  for (let second = 1; second <= seconds; second++) {
    const made = process.cpuUsage();
    const sample = sampleAt(second);
    making += cpuSince(made);
    writer.write(sample);
    if (second % 60 === 0) await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await writer.close(60_000);
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
