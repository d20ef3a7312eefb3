// Whether the time that a parser takes at most doubles when its input doubles: for each parser that a stranger feeds, each
// word of its format and each two of them, repeated until the input is as large as it can be. Prints the slowest of each, 0 where
// all are below the noise; ends with 1 when one grows faster. Run: node --import tsx bench/limits.ts [TARGET]
import type { Target } from '../test/fuzz/harness.ts';
import { USUAL } from '../test/fuzz/cases.ts';
import { targets } from '../test/fuzz/targets.ts';
import { compareParts } from './compare.ts';

/** What doubling the input may multiply the time by; 4 is quadratic. */
const SLACK = 2.9;
/** Times below this (ms) are noise: the compiler, the collector. */
const NOISE = 20;
const REPETITIONS = 5;
/** ms for the patterns of one target; single words come first. */
const PATIENCE = 3000;

/** CPU time of one input in ms, the shortest of some attempts. */
async function time({ parse }: Target, input: Buffer): Promise<number> {
  let shortest = Infinity;
  for (let n = 0; n < REPETITIONS; n++) {
    const start = process.cpuUsage();
    try {
      await parse(input);
    } catch {
      // Refusing takes its time, too.
    }
    const { user, system } = process.cpuUsage(start);
    shortest = Math.min(shortest, (user + system) / 1000);
    if (shortest < NOISE) break;
  }
  return shortest;
}

function inputOf(head: string, pattern: string, bytes: number): Buffer {
  return Buffer.from((head + pattern.repeat(Math.ceil(bytes / pattern.length))).slice(0, bytes), 'latin1');
}

interface Growth {
  readonly pattern: string;
  readonly half: number;
  readonly whole: number;
}

async function slowest(target: Target): Promise<{ readonly worst: Growth; readonly bad: readonly Growth[] }> {
  const { words, seeds, largest: bytes = USUAL } = target;
  const end = performance.now() + PATIENCE;
  // Behind the beginning of a good input, as many parsers look for that first.
  const [seed = ''] = seeds;
  const head = Buffer.from(seed as string)
    .toString('latin1')
    .slice(0, 200);
  const patterns = [...words, ...words.flatMap((one) => words.map((other) => one + other))];
  let worst: Growth = { pattern: '', half: 0, whole: 0 };
  const bad: Growth[] = [];
  for (const pattern of patterns) {
    if (performance.now() > end) break;
    for (const begin of ['', head]) {
      const whole = await time(target, inputOf(begin, pattern, bytes));
      if (whole < NOISE) continue;
      const half = await time(target, inputOf(begin, pattern, bytes / 2));
      const growth = { pattern: begin === '' ? pattern : `...${pattern}`, half, whole };
      if (whole > worst.whole) worst = growth;
      if (whole / half <= SLACK) continue;
      // The collector begins at some size; what is quadratic was so at half of it.
      const quarter = await time(target, inputOf(begin, pattern, bytes / 4));
      if (half / quarter > SLACK) bad.push(growth);
    }
  }
  return { worst, bad };
}

const [, , wanted] = process.argv;
await compareParts(import.meta.filename, async (figures) => {
  for (const target of targets) {
    if (wanted !== undefined && target.name !== wanted) continue;
    const { worst, bad } = await slowest(target);
    figures.set(`${target.name}: CPU, ms of the slowest`, worst.whole);
    for (const { pattern, half, whole } of bad) {
      console.error(
        `${target.name} grows faster than its input: ${half.toFixed(0)} ms, doubled ${whole.toFixed(0)} ms: ${JSON.stringify(pattern)}`,
      );
      process.exitCode = 1;
    }
  }
});
