import { basename, extname } from 'node:path';
import { InputError } from '../errors.ts';
import type { RecordedInput } from './recorded-input.ts';
import type { InputName } from '../settings.ts';
import { inputNames } from '../settings.ts';

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Reads CSV: a line for each measurement, a column for each metric, in percent for cpu, mem and disk and in bytes per
 * second for net and io. Without a header the columns are metric_0, metric_1, ... An empty cell is a value that is not
 * known. @throws InputError
 */
export async function* csvInputs(
  path: string,
  lines: AsyncIterable<readonly [string, number]>,
  wanted: readonly InputName[] | undefined,
): AsyncGenerator<RecordedInput> {
  const file = basename(path, '.gz');
  const vm = { name: basename(file, extname(file)) };
  let names: readonly string[] | undefined;
  let taken: readonly number[] = [];
  let metrics: readonly string[] = [];
  let found = false;
  for await (const [text, line] of lines) {
    const place = `${path}:${line}`;
    const cells = text.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
    if (names === undefined) {
      const header = cells.some((cell) => cell !== '' && !decimal.test(cell));
      names = header ? checkedNames(cells, place) : cells.map((_, column) => `metric_${column}`);
      taken = chosen(names, wanted, place);
      metrics = taken.map((column) => names?.[column] ?? '');
      if (header) continue;
    }
    if (cells.length !== names.length) {
      const { length } = names;
      const counted = text === '' ? 'an empty line' : `${cells.length} columns`;
      throw new InputError(`${place}: found ${counted}, expected ${length} as in the first line`);
    }
    found = true;
    const values = taken.map((column) => valueOf(cells[column] ?? '', names?.[column] ?? '', place));
    yield { vm, metrics, values, link: NaN, line };
  }
  if (!found) throw new InputError(`${path}: no measurement follows the header`);
}

/** Checks a header. @throws InputError for a column that is not known, or there twice */
function checkedNames(cells: readonly string[], place: string): readonly string[] {
  for (const [column, name] of cells.entries()) {
    if (!inputNames.some((known) => known === name) && !/^metric_\d+$/.test(name)) {
      throw new InputError(
        `${place}: unknown column ${JSON.stringify(name)}, expected ${inputNames.join(', ')} or metric_<number>`,
      );
    }
    if (cells.indexOf(name) !== column) throw new InputError(`${place}: column ${name} is there twice`);
  }
  return cells;
}

/** The columns to take. @throws InputError when one that is wanted is not there */
function chosen(
  names: readonly string[],
  wanted: readonly InputName[] | undefined,
  place: string,
): readonly number[] {
  if (wanted === undefined) return names.map((_, column) => column);
  return wanted.map((name) => {
    const column = names.indexOf(name);
    if (column < 0) throw new InputError(`${place}: there is no column ${name}, found ${names.join(', ')}`);
    return column;
  });
}

function valueOf(cell: string, name: string, place: string): number {
  if (cell === '') return NaN;
  if (decimal.test(cell)) return Number(cell);
  throw new InputError(`${place}, ${name}: found ${JSON.stringify(cell)}, expected a number`);
}
