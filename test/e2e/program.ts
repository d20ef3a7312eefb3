import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The program as `make build` leaves it. */
export const PROXTOP = fileURLToPath(new URL('../../dist/proxtop', import.meta.url));

/** Flags for all there is to measure. */
export const EVERYTHING = [
  '--cpu',
  '--mem',
  '--disk',
  '--net',
  '--io',
  '--pressure',
  '--host',
  '--verbose',
  '--devices',
];

const DEADLINE = 180_000;

/** A row of a JSON line: what is not known is not there. */
export interface Row {
  readonly [id: string]: string | number | readonly Row[] | undefined;
  readonly vcpus?: readonly Row[];
  readonly disks?: readonly Row[];
  readonly nics?: readonly Row[];
}

/** One JSON line of layout `cycle`. */
export interface Cycle {
  readonly '@timestamp': string;
  readonly schema: number;
  readonly run: string;
  readonly seq: number;
  readonly interval: number;
  readonly host: Row;
  readonly domains: readonly Row[];
  readonly agent: Row;
}

/** The number a row has under an id; an error where it has none. */
export function num(row: Row | undefined, id: string): number {
  const value = row?.[id];
  assert.equal(typeof value, 'number', `${id}: expected a number, found ${JSON.stringify(value)}`);
  return value as number;
}

/** The row of a VM in a cycle. */
export function domain(cycle: Cycle, vm: { readonly vmid: number }): Row | undefined {
  return cycle.domains.find(({ vmid }) => vmid === String(vm.vmid));
}

/** The row of a device among the rows of its kind. */
export function device(rows: readonly Row[] | undefined, name: string): Row | undefined {
  return rows?.find((row) => row['device'] === name);
}

/** Wall-clock time of a cycle, ms. */
export function timeOf(cycle: Cycle): number {
  return Date.parse(cycle['@timestamp']);
}

/**
 * Compares what proxtop says of some seconds with what other means say. They do not read at the same instant, and on a busy
 * machine that can make seconds: of five comparisons one has to agree. A value that is wrong agrees in none.
 */
export async function agree(compare: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await compare();
      return;
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

/** A busy machine makes samples late. That is logged, and not a fault of what is tested. */
function withoutLateness(stderr: string): string {
  return stderr.replace(/^.* sampling is (late|on time).*\n/gm, '');
}

/** How a program ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

type Wanted = (cycle: Cycle) => boolean;

/** A running proxtop. */
export class Program {
  /** All it wrote so far. */
  stdout = '';
  stderr = '';
  /** Complete lines of stdout so far: what is asked again and again does not look through all of it each time. */
  protected readonly complete: string[] = [];
  /** What stands behind them. */
  private rest = '';
  private readonly ended: Promise<End>;
  private readonly waiting = new Set<() => void>();

  /** @param child its stdout and stderr are read where they are pipes */
  constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      const [first = '', ...others] = text.split('\n');
      this.rest += first;
      for (const line of others) {
        this.complete.push(this.rest);
        this.rest = line;
      }
      this.changed();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.changed();
    });
    // A test that failed leaves it running: that keeps no test file from ending, and it ends with it.
    child.unref();
    for (const stream of [child.stdout, child.stderr]) (stream as Socket | null)?.unref();
    running.add(child);
    this.ended = (once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>).then(
      ([code, signal]) => {
        running.delete(child);
        return { code, signal, stdout: this.stdout, stderr: withoutLateness(this.stderr) };
      },
    );
  }

  get pid(): number {
    assert.ok(this.child.pid !== undefined, 'the program did not start');
    return this.child.pid;
  }

  /** The complete lines of stdout. */
  get lines(): string[] {
    return this.complete.slice();
  }

  /** Resolves as soon as `condition` holds; it is asked whenever the program has written something. */
  async until(what: string, condition: () => boolean, deadline = DEADLINE): Promise<void> {
    const abort = new AbortController();
    const late = sleep(deadline, 'late', { signal: abort.signal }).catch(() => '');
    const done = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
    const first = await Promise.race([done, late, this.ended.then(() => 'ended')]);
    abort.abort();
    if (first === undefined || condition()) return;
    throw new Error(`${what}: not within ${deadline} ms (${first}); stderr:\n${this.stderr}`);
  }

  /** Resolves when it has ended by itself; it is killed if it does not in a minute. */
  async end(): Promise<End> {
    const late = setTimeout(() => this.child.kill('SIGKILL'), DEADLINE);
    const end = await this.ended;
    clearTimeout(late);
    return end;
  }

  /** Ends it by SIGTERM, in order. */
  stop(): Promise<End> {
    this.child.kill('SIGTERM');
    return this.end();
  }

  private changed(): void {
    for (const look of [...this.waiting]) look();
  }
}

/** A proxtop that writes JSON lines of layout `cycle` to its stdout. */
export class Stream extends Program {
  readonly cycles: Cycle[] = [];

  /** Starts it with these flags and `--printer=json`. */
  static start(args: readonly string[]): Stream {
    return Stream.spawn(['--printer=json', ...args]);
  }

  static spawn(args: readonly string[]): Stream {
    const child = spawn(PROXTOP, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    // What the tests say about time must hold beside guests that keep every CPU busy, and whatever else runs here.
    if (child.pid !== undefined) setPriority(child.pid, -15);
    return new Stream(child);
  }

  /** The first cycle, of those there and those to come, that is wanted. */
  first(what: string, wanted: Wanted): Promise<Cycle> {
    return this.firstFrom(0, what, wanted);
  }

  /** The first cycle from now on that is wanted. @param deadline ms */
  next(what = 'a cycle', wanted: Wanted = () => true, deadline = DEADLINE): Promise<Cycle> {
    this.parse();
    return this.firstFrom(this.cycles.length, what, wanted, deadline);
  }

  private async firstFrom(from: number, what: string, wanted: Wanted, deadline = DEADLINE): Promise<Cycle> {
    let found: Cycle | undefined;
    await this.until(
      what,
      () => {
        this.parse();
        found = this.cycles.slice(from).find(wanted);
        return found !== undefined;
      },
      deadline,
    );
    assert.ok(found);
    return found;
  }

  /** The cycles with numbers above `after` up to `last`. */
  between(after: Cycle, last: Cycle): Cycle[] {
    return this.cycles.filter(({ seq }) => seq > after.seq && seq <= last.seq);
  }

  private parse(): void {
    for (const line of this.complete.slice(this.cycles.length)) this.cycles.push(JSON.parse(line) as Cycle);
  }
}

/** Runs proxtop until it ends. */
export function proxtop(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<End> {
  const child = spawn(PROXTOP, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Program(child).end();
}
