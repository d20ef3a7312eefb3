import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { collectorNames } from '../../src/catalogue/catalogue.ts';
import type { Skipped } from '../../src/recording/entries.ts';
import { replayed } from '../../src/history/replay.ts';
import { everything } from '../../src/history/span.ts';
import type { Span } from '../../src/history/span.ts';
import { HistoryWriter } from '../../src/history/writer.ts';
import type { HistorySettings } from '../../src/history/settings.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { logs } from '../delivery/helpers.ts';
import { row, sampleOf, vmRows } from '../formats/sample.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const start = Date.UTC(2026, 10, 28, 2, 58);

/** A directory for a history, which does not exist yet. */
export function place(t: TestContext): string {
  const above = mkdtempSync(join(tmpdir(), 'proxtop-history-'));
  t.after(() => {
    rmSync(above, { recursive: true, force: true });
  });
  return join(above, 'history');
}

/** A sample of two VMs at a time, ms since 1970, whose `cpu_total` is the number of the sample. */
export function sample(time: number, seq: number, parts: Partial<Sample> = {}): Sample {
  const vm = (number: number): ReturnType<typeof vmRows> =>
    vmRows(
      row('vm', { UUID: `u${number}`, name: `vm${number}`, pid: String(4000 + number), cpu_total: seq }),
      {
        disks: [row('vm_disk', { device: 'scsi0', disk_reads: seq * 10 })],
      },
    );
  return sampleOf({ time, seq, run: 'first', interval: 10, guests: [vm(1), vm(2)], ...parts });
}

export function writer(
  directory: string,
  settings: Partial<HistorySettings> = {},
): { readonly writer: HistoryWriter; readonly log: ReturnType<typeof logs> } {
  const log = logs();
  const all = {
    directory,
    interval: 10,
    keep: 3 * 86_400,
    maxBytes: 2 ** 30,
    collectors: collectorNames,
    ...settings,
  };
  return { writer: new HistoryWriter(all, log.log), log };
}

/** Records samples 10 s apart for some minutes. */
export async function record(
  directory: string,
  minutes: number,
  { from = start, seq = 1, run = 'first', settings = {} } = {},
): Promise<void> {
  const { writer: history } = writer(directory, settings);
  for (let index = 0; index < minutes * 6; index++)
    history.write(sample(from + index * 10_000 + 2, seq + index, { run }));
  await history.close(60_000);
}

export function filesIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.gz'))
    .sort();
}

/** The lines of a file as any gzip reads them. */
export function linesIn(path: string): { readonly '@timestamp': string; readonly seq: number }[] {
  return gunzipSync(readFileSync(path))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { '@timestamp': string; seq: number });
}

/** The numbers of the samples that a replay yields, and how many records it passed over. */
export async function read(
  path: string,
  span: Span = everything,
): Promise<{ seqs: number[]; skipped: number }> {
  const skipped: Skipped = { records: 0 };
  const seqs: number[] = [];
  for await (const { seq } of replayed(path, span, skipped)) seqs.push(seq);
  return { seqs, skipped: skipped.records };
}

export function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
