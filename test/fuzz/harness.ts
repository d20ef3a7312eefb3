import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Grammar } from './cases.ts';
import { hash, makeCase, randomOf } from './cases.ts';

/** A parser that strangers feed. */
export interface Target extends Grammar {
  readonly name: string;
  /** Parses, and uses what came of it as the program does. */
  readonly parse: (input: Buffer) => unknown;
  /** Whether an error is how the parser refuses an input. */
  readonly refuses?: (error: unknown) => boolean;
}

/** What a target may cost for one input. */
const longest = 50; // ms by the clock; what takes longer is measured in CPU time against the machine
/** So many times what simple work on half a MiB takes on this machine at that moment, about 15 ms on a fast one. */
const mostOfReference = 6;
const largest = 64 << 20; // bytes that it takes
/** Bytes that may be left of all inputs of a target. */
const mostLeft = 24 << 20;
/** How often a case is repeated before its time counts: the machine, or the compiler, may have been busy. */
const repetitions = 5;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** A case that failed, with how to run it again. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** The cases of one run: which they are follows from the seed, how many from the time. */
export class Run {
  cases = 0;
  refused = 0;
  private readonly clean = prototypes();

  /** @param only the number of the one case to run */
  constructor(
    private readonly target: Target,
    private readonly seed: number,
    private readonly only?: number,
  ) {}

  /** Runs cases for so many ms. @throws Failure */
  async for(ms: number): Promise<void> {
    const end = performance.now() + ms;
    const before = await kept();
    for (let number = this.only ?? 0; performance.now() < end; number++) {
      await this.check(number);
      if (number === this.only) return;
    }
    const left = (await kept()) - before;
    if (left > mostLeft)
      throw new Failure(`${this.target.name}: ${left} bytes are left of ${this.cases} cases`);
  }

  private input(number: number): Buffer {
    return makeCase(this.target, randomOf(hash(`${this.seed} ${this.target.name} ${number}`)));
  }

  private async check(number: number): Promise<void> {
    const input = this.input(number);
    this.cases++;
    const heavy = input.length > 16 * 1024;
    const before = heavy ? used() : 0;
    const start = performance.now();
    await this.parse(input, number);
    const took = performance.now() - start;
    const grown = heavy ? used() - before : 0;
    if (took > longest) await this.time(input, number);
    if (grown > largest) await this.size(input, number);
    if (prototypes() !== this.clean) this.fail(input, number, 'prototypes of all objects were changed');
  }

  private async parse(input: Buffer, number: number): Promise<void> {
    try {
      await this.target.parse(input);
    } catch (error) {
      if (this.target.refuses?.(error) !== true)
        this.fail(input, number, error instanceof Error ? (error.stack ?? error.message) : String(error));
      this.refused++;
    }
  }

  /**
   * Only the fastest of some repetitions counts, and of it the CPU time. A shared machine is slower by half from one minute
   * to the next, so the limit comes from work done between them.
   */
  private async time(input: Buffer, number: number): Promise<void> {
    let fastest = Infinity;
    let reference = Infinity;
    for (let n = 0; n < repetitions && fastest > longest; n++) {
      reference = Math.min(reference, await cpuTime(referenceWork));
      fastest = Math.min(fastest, await cpuTime(() => this.parse(input, number)));
    }
    if (fastest > Math.max(longest, mostOfReference * reference))
      this.fail(
        input,
        number,
        `it takes ${fastest.toFixed(0)} ms of CPU, the reference ${reference.toFixed(0)} ms`,
      );
  }

  /** What was collected meanwhile does not show, so the smallest growth counts from a clean start. */
  private async size(input: Buffer, number: number): Promise<void> {
    let smallest = Infinity;
    for (let n = 0; n < repetitions && smallest > largest; n++) {
      collect();
      const before = used();
      await this.parse(input, number);
      smallest = Math.min(smallest, used() - before);
    }
    if (smallest > largest) this.fail(input, number, `it takes ${smallest} bytes`);
  }

  private fail(input: Buffer, number: number, what: string): never {
    const { name } = this.target;
    const directory = join(import.meta.dirname, '../../build/fuzz');
    mkdirSync(directory, { recursive: true });
    const file = join(directory, `${name.replaceAll(/\W+/g, '-')}-${this.seed}-${number}`);
    writeFileSync(file, input);
    const again = `FUZZ_SEED=${this.seed} FUZZ_TARGET='${name}' FUZZ_CASE=${number} make fuzz`;
    throw new Failure(
      `${name}: ${what}\ninput of ${input.length} bytes, in ${file}: ${JSON.stringify(input.toString('latin1', 0, 200))}\nagain: ${again}`,
    );
  }
}

/** ms of CPU that work takes. */
async function cpuTime(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

const commas = Buffer.alloc(512 * 1024, ',');

/** What any parser does: makes texts of bytes, splits them and looks them up. */
function referenceWork(): number {
  return new Set(commas.toString('latin1').split(',')).size;
}

/** Bytes of all objects and buffers. */
function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Bytes of what cannot be collected; buffers are given back a moment after they were. */
async function kept(): Promise<number> {
  let least = Infinity;
  for (let n = 0; n < repetitions; n++) {
    collect();
    await turn();
    least = Math.min(least, used());
  }
  return least;
}

/** What all objects have by their prototypes, in short. */
function prototypes(): string {
  return [Object, Array, String, Number, Map, Function]
    .map(({ prototype }) => Reflect.ownKeys(prototype as object).length)
    .join();
}
