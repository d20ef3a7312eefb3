/**
 * What all benches share: two builds side by side, and the statistics of what they show.
 *
 * Without BASE a bench measures this checkout alone. With BASE=DIR it measures the checkout in DIR as well, in turns (DIR,
 * this, this, DIR, ...), so that what else goes on in the machine concerns both, and prints for each figure the ratio
 * of the two with its spread. `make bench-compare BASE=REVISION` prepares DIR. ROUNDS=N for another number of turns.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** A checkout with what was built from it in dist/. */
export interface Build {
  readonly name: 'base' | 'this';
  readonly root: string;
}

/** What was measured, by a name that ends with the unit: `own CPU, ms a second`. Less is better. */
export type Figures = Map<string, number>;

const here: Build = { name: 'this', root: fileURLToPath(new URL('..', import.meta.url)) };
const { BASE, ROUNDS, FIGURES } = process.env;
const builds: readonly Build[] = BASE === undefined ? [here] : [{ name: 'base', root: resolve(BASE) }, here];

/** The bundled program of a build. */
export function programOf({ root }: Build): string {
  return join(root, 'dist/proxtop');
}

/** A whole number above 0 from the environment. @throws Error for anything else */
export function count(name: string, otherwise: number): number {
  const number = Number(process.env[name] ?? otherwise);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`${name}: expected a number from 1 on`);
  return number;
}

/** The one in the middle, or the mean of the two that are; NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? NaN;
  return (at((sorted.length - 1) >> 1) + at(sorted.length >> 1)) / 2;
}

/**
 * Measures the builds in turns and prints the median of each figure; of two builds their ratio as well, in the middle
 * and from the least to the most of all rounds.
 * @param rounds turns of each build, unless ROUNDS says otherwise
 */
export async function compare(measure: (build: Build) => Promise<Figures>, rounds = 3): Promise<void> {
  const taken = new Map<string, Map<Build, number[]>>();
  const turns = ROUNDS === undefined ? rounds : count('ROUNDS', rounds);
  for (let round = 0; round < turns; round++) {
    for (const build of round % 2 === 0 ? builds : builds.toReversed()) {
      for (const [name, value] of await measure(build)) {
        const row = taken.get(name) ?? new Map<Build, number[]>();
        taken.set(name, row.set(build, [...(row.get(build) ?? []), value]));
      }
    }
  }
  for (const [name, row] of taken) console.log(lineOf(name, row));
}

function lineOf(name: string, row: ReadonlyMap<Build, readonly number[]>): string {
  const columns = builds.map((build) => (row.has(build) ? digits(median(row.get(build) ?? [])) : '-'));
  const [base, ours] = builds.map((build) => row.get(build));
  const ratios =
    base !== undefined && ours !== undefined
      ? ours.map((value, round) => value / (base[round] ?? NaN)).filter(Number.isFinite)
      : [];
  const ratio = ratios.length === 0 ? '' : `  ratio ${spread(ratios)}`;
  const alone = ours === undefined && base !== undefined && base.length > 1 ? `  of ${spread(base)}` : '';
  return `  ${name.padEnd(50)}${columns.map((column) => column.padStart(10)).join('')}${ratio}${alone}`;
}

function spread(numbers: readonly number[]): string {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)].map(digits);
  return `${digits(median(numbers))} (${least} to ${most})`;
}

function digits(number: number): string {
  return number.toFixed(Math.abs(number) < 10 ? 3 : Math.abs(number) < 1000 ? 1 : 0);
}

/** What the columns of {@link compare} are, for the head of a table. */
export function heading(what: string): void {
  console.log(`${what}: ${builds.map(({ name, root }) => `${name} ${root}`).join(', ')}`);
}

/**
 * Measures parts of the program, inside of the process. Side by side each build does so with the bench of its own
 * checkout, in a process for each turn.
 * @param file the bench: import.meta.filename
 */
export async function compareParts(file: string, measure: (figures: Figures) => unknown): Promise<void> {
  const inside = async (): Promise<Figures> => {
    const figures: Figures = new Map();
    await measure(figures);
    return figures;
  };
  if (FIGURES !== undefined) {
    console.log(JSON.stringify([...(await inside())]));
    return;
  }
  heading(basename(file));
  await compare(
    BASE === undefined ? inside : (build) => partsOf(build, basename(file)),
    BASE === undefined ? 1 : 3,
  );
}

async function partsOf({ root }: Build, bench: string): Promise<Figures> {
  const args = [...process.execArgv, join(root, 'bench', bench), ...process.argv.slice(2)];
  const env = { ...process.env, FIGURES: '1' };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, [code]] = await Promise.all([
    text(child.stdout),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  // A bench from before there were figures prints text.
  if (code !== 0 || !last.startsWith('[['))
    throw new Error(`bench/${bench} of ${root} gives no figures to compare (exit code ${String(code)})`);
  return new Map(JSON.parse(last) as [string, number][]);
}
