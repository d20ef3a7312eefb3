import { closeSync, openSync, readSync } from 'node:fs';
import type { Row } from './program.ts';
import { keyOf } from './delivery-rig.ts';

/** What is known of a sample from the file that has them all. */
export interface TrueSample {
  readonly key: string;
  readonly run: string;
  /** The outputs that there were, which were given it. */
  readonly outputs: ReadonlySet<string>;
}

/** The file that every sample goes to, read as it grows. It is on a disk that nothing happens to. */
export class Truth {
  readonly samples: TrueSample[] = [];
  /** The account in the newest sample of each run: its outputs by name. */
  readonly last = new Map<string, ReadonlyMap<string, Row>>();
  /** How many samples there were when, by the monotonic clock in ms. */
  private readonly marks: { readonly time: number; readonly count: number }[] = [];
  private at = 0;
  private rest = '';

  constructor(private readonly path: string) {}

  /** Reads what is new. */
  read(): void {
    const fd = openSync(this.path, 'r');
    const chunk = Buffer.alloc(1 << 20);
    for (let length = 1; length > 0;) {
      length = readSync(fd, chunk, 0, chunk.length, this.at);
      this.at += length;
      const lines = (this.rest + chunk.toString('latin1', 0, length)).split('\n');
      this.rest = lines.pop() ?? '';
      for (const line of lines) this.take(line);
    }
    closeSync(fd);
    this.marks.push({ time: performance.now(), count: this.samples.length });
  }

  /** The index of the first sample that may have been taken at this time or later. @param time ms, monotonic */
  indexAt(time: number): number {
    return this.marks.findLast((mark) => mark.time <= time)?.count ?? 0;
  }

  private take(line: string): void {
    // A kill leaves half a line, which the next start ends.
    if (!line.startsWith('{') || !line.endsWith('}')) return;
    const { run, agent } = JSON.parse(line) as { run: string; agent: Row };
    const rows = new Map((agent['outputs'] as readonly Row[]).map((row) => [row['name'] as string, row]));
    this.samples.push({ key: keyOf(line), run, outputs: new Set(rows.keys()) });
    this.last.set(run, rows);
  }
}
