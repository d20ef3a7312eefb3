import { InputError } from './errors.ts';
import { idsOf, inputOf, usualInputs } from './inputs.ts';
import type { RecordedInput } from './recording.ts';
import type { InputName } from './settings.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Reads JSON lines that proxtop wrote, in either layout. @throws InputError */
export async function* jsonInputs(
  path: string,
  lines: AsyncIterable<readonly [string, number]>,
  wanted: readonly InputName[] | undefined,
): AsyncGenerator<RecordedInput> {
  const metrics = wanted ?? usualInputs;
  const missing = new Set<InputName>(metrics);
  let link = NaN;
  for await (const [text, line] of lines) {
    const { host, vms } = rowsOf(text, `${path}:${line}`);
    if (host !== undefined) link = typeof host['net_speed'] === 'number' ? host['net_speed'] : NaN;
    for (const row of vms) {
      const vm = row['UUID'];
      if (typeof vm !== 'string') throw new InputError(`${path}:${line}: found a VM without UUID`);
      const values = metrics.map((name) => inputOf(name, row));
      for (const name of missing) if (Number.isFinite(values[metrics.indexOf(name)])) missing.delete(name);
      yield { vm, metrics, values, link, line };
    }
  }
  const [first] = missing;
  if (first === undefined || (wanted === undefined && missing.size < metrics.length)) return;
  throw new InputError(
    `${path}: no line has ${first} (${idsOf(first).join(' and ')}); was it recorded with --${first}?`,
  );
}

/** The rows of a line: of a whole cycle, or one row of it. */
function rowsOf(text: string, place: string): { host: Fields | undefined; vms: readonly Fields[] } {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    throw new InputError(`${place}: expected a line of JSON, found ${JSON.stringify(text.slice(0, 40))}`);
  }
  if (isObject(line)) {
    const { type, domains, host } = line;
    if (Array.isArray(domains))
      return { host: isObject(host) ? host : undefined, vms: domains.filter(isObject) };
    if (typeof type === 'string')
      return { host: type === 'host' ? line : undefined, vms: type === 'vm' ? [line] : [] };
    if ('profile' in line)
      throw new InputError(
        `${place}: found a profile, expected samples; --plot and --simulate take profiles`,
      );
  }
  throw new InputError(`${place}: found no sample of proxtop, expected domains, or a type`);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
