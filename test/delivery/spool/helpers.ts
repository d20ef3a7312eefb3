import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Entry } from '../../../src/delivery/ledger/entry.ts';
import { Ledger } from '../../../src/delivery/ledger/ledger.ts';
import type { SpoolIdentity } from '../../../src/delivery/ledger/spool/header.ts';
import { Spool } from '../../../src/delivery/ledger/spool/spool.ts';
import type { QueueSettings, SpoolSettings } from '../../../src/delivery/settings.ts';
import { logs, record, until } from '../helpers.ts';

export const identity: SpoolIdentity = { output: 'test', format: 'json', schema: 1 };

export function settings(directory: string, change: Partial<SpoolSettings> = {}): SpoolSettings {
  return { directory, maxBytes: 64 << 20, sync: 0.1, catchup: 0.5, ...change };
}

/** A spool and its ledger, before it has looked at its directory. */
export class TestSpool {
  readonly ledger = new Ledger();
  readonly spool: Spool;
  readonly at: ReturnType<typeof logs>['at'];

  constructor(
    directory: string,
    change: Partial<SpoolSettings & SpoolIdentity> = {},
    whenFull: QueueSettings['whenFull'] = 'drop_oldest',
  ) {
    const { log, at } = logs();
    this.at = at;
    const { output, format, schema, ...limits } = { ...identity, ...change };
    this.spool = new Spool(settings(directory, limits), whenFull, true, {
      identity: { output, format, schema },
      ledger: this.ledger,
      log,
      onReadable: () => undefined,
      onOpened: () => undefined,
    });
  }

  get drops(): Ledger['drops'] {
    return this.ledger.drops;
  }

  /** Records on disk that wait. */
  get waiting(): number {
    return this.ledger.disk;
  }

  entries(from: number, to: number, padding = 200): Entry[] {
    return Array.from({ length: to - from + 1 }, (_, index) => ({
      ordinal: this.ledger.push(),
      bytes: record(from + index, padding),
      // Wall clock: 1000 + seq.
      since: 1000 + from + index - (Date.now() - performance.now()),
      stored: false,
    }));
  }

  append(from: number, to: number, padding?: number): Promise<boolean> {
    return this.spool.append(this.entries(from, to, padding));
  }

  /** The next record, handed over; undefined when there is none yet. */
  take(fresh = false): Entry | undefined {
    const entry = this.spool.reader.peek(fresh) && this.spool.reader.shift();
    if (entry !== undefined) this.ledger.hand(entry.ordinal);
    return entry;
  }

  /** The next record, handed over, as soon as it is read. */
  async taken(): Promise<Entry> {
    let entry: Entry | undefined;
    await until(() => (entry = this.take()) !== undefined, 'the next record is read');
    return entry!;
  }

  /** Takes everything out, without saying that it arrived. */
  async takeAll(): Promise<Entry[]> {
    const all: Entry[] = [];
    await until(() => {
      for (let entry = this.take(); entry !== undefined; entry = this.take()) all.push(entry);
      return this.spool.reader.empty;
    }, 'the spool is empty');
    return all;
  }

  arrived(entries: readonly Entry[]): void {
    for (const { ordinal } of entries) this.ledger.arrive(ordinal);
    this.spool.tick();
  }

  /** Ends as a process does. @returns how many records stay on disk */
  async close(): Promise<number> {
    await this.spool.close();
    return this.spool.leave();
  }
}

/** A spool that has looked at its directory. */
export async function open(...arguments_: ConstructorParameters<typeof TestSpool>): Promise<TestSpool> {
  const spool = new TestSpool(...arguments_);
  await spool.spool.open();
  return spool;
}

export function seqOf({ bytes }: Pick<Entry, 'bytes'>): number {
  return (JSON.parse(bytes.toString()) as { seq: number }).seq;
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
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', path], { stdio: 'pipe' });
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
