import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Drops } from '../../../src/delivery/ledger/drops.ts';
import { newEntry, type Entry } from '../../../src/delivery/ledger/entry.ts';
import type { QueueSettings, SpoolSettings } from '../../../src/delivery/settings.ts';
import { Spool } from '../../../src/delivery/ledger/spool/spool.ts';
import { logs, record, until } from '../helpers.ts';

export function settings(directory: string, change: Partial<SpoolSettings> = {}): SpoolSettings {
  return { directory, maxBytes: 64 << 20, sync: 0.1, catchup: 0.5, ...change };
}

export function open(
  directory: string,
  change: Partial<SpoolSettings> = {},
  whenFull: QueueSettings['whenFull'] = 'drop_oldest',
): { spool: Spool; drops: Drops; at: ReturnType<typeof logs>['at'] } {
  const { log, at } = logs();
  const drops = new Drops();
  return { spool: new Spool(settings(directory, change), whenFull, drops, log, () => {}), drops, at };
}

export function entries(from: number, to: number, padding = 200): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, index) =>
    newEntry(record(from + index, padding), 1000 + from + index),
  );
}

export function seqOf({ bytes }: Entry): number {
  return (JSON.parse(bytes.toString()) as { seq: number }).seq;
}

/** Takes everything out, without saying that it was delivered. */
export async function takeAll(spool: Spool): Promise<Entry[]> {
  const all: Entry[] = [];
  await until(() => {
    while (spool.peek() !== undefined) all.push(spool.shift()!);
    return spool.empty;
  }, 'the spool is empty');
  return all;
}

export function segmentFiles(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.spool'))
    .sort()
    .map((file) => join(directory, file));
}

/** A disk of its own, of a few bytes; undefined, and the test skipped, where mounting is not allowed. */
export function smallDisk(t: TestContext, size = '1m'): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'proxtop-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { stdio: 'pipe' });
  } catch {
    rmdirSync(path);
    t.skip('needs the right to mount');
    return undefined;
  }
  t.after(() => {
    execFileSync('umount', ['-l', path]);
    rmdirSync(path);
  });
  return path;
}
