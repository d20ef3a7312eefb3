/**
 * The history of a synthetic host: 200 VMs with all devices and metrics, a sample a second. What it costs to keep, what it
 * takes on disk, and how long it takes to open a week and to jump. Run: node --import tsx bench/history.ts [VMS]
 */
import { linkSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { collectorNames, columns } from '../src/catalogue/catalogue.ts';
import type { Scope } from '../src/catalogue/define.ts';
import { Row } from '../src/catalogue/row.ts';
import { listsOf } from '../src/catalogue/row-tree.ts';
import { newFile } from '../src/history/files.ts';
import { HistoryRecording } from '../src/history/history-recording.ts';
import { everything } from '../src/history/span.ts';
import { HistoryWriter } from '../src/history/writer.ts';
import type { Sample } from '../src/sampling/sample.ts';
import { compareParts } from './compare.ts';
import type { Figures } from './compare.ts';

const vmCount = Number(process.argv[2] ?? 200);
const HOUR = 3_600_000;
const start = Date.UTC(2026, 10, 22, 12);
/** Devices of a VM; of all other kinds one. */
const devices: Partial<Record<Scope, number>> = { vm_vcpu: 4, vm_disk: 2 };

/** The same doubles in every run, between 0 and 1. */
let state = 1;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

/** Values nearly as real hosts have them: levels that stay, three of four rates 0, the others anew in every sample. */
function fill(row: Row, first: boolean): void {
  for (const { slot, kind, unit, id } of columns(row.scope)) {
    // Two of five are not known, such as those of containers.
    if (slot % 5 === 1 || slot % 5 === 3) continue;
    if (kind === 'text') row.texts[slot] ??= `${id}-${slot}`;
    else if (first) row.values[slot] = slot % 4 !== 0 && kind !== 'gauge' ? 0 : Math.floor(random() * 1e6);
    else if (kind !== 'gauge' && slot % 4 === 0)
      row.values[slot] = random() * (unit === 'percent' ? 100 : 1000);
  }
}

const all: Row[] = [];
function rowOf(scope: Scope): Row {
  const row = new Row(scope);
  fill(row, true);
  all.push(row);
  return row;
}
const tree = (root: 'host' | 'vm') => ({
  row: rowOf(root),
  ...listsOf(root, ({ scope }) => Array.from({ length: devices[scope] ?? 1 }, () => rowOf(scope))),
});

const host = tree('host');
const guests = Array.from({ length: vmCount }, (_, index) => {
  const name = `vm${index}`;
  return { guest: { type: 'qemu', key: name, uuid: name, name } as const, twin: false, ...tree('vm') };
}) as unknown as Sample['guests'];
const agent = { row: rowOf('agent'), outputs: [rowOf('agent_output')], verdicts: [] };

function sampleAt(second: number): Sample {
  for (const row of all) fill(row, false);
  return {
    time: start + second * 1000 + 2,
    run: '0190a5b2',
    seq: second + 1,
    interval: 1,
    host: host,
    guests,
    agent,
    collectors: collectorNames,
    runs: [],
  };
}

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
