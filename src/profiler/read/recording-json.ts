import { isObject, parseJson } from '../../base/untyped/values.ts';
import type { Fields } from '../../base/untyped/values.ts';
import { InputError } from '../errors.ts';
import { idsOf, inputOf, usualInputs } from '../inputs.ts';
import type { Subject } from '../profile.ts';
import type { RecordedInput } from './recorded-input.ts';
import type { InputName } from '../settings.ts';

/** Reads JSON lines that proxtop wrote, in either layout. @throws InputError */
export async function* jsonInputs(
  path: string,
  lines: AsyncIterable<readonly [string, number]>,
  wanted: readonly InputName[] | undefined,
): AsyncGenerator<RecordedInput> {
  const metrics = wanted ?? usualInputs;
  const missing = new Set<InputName>(metrics);
  const subjects = new Subjects();
  for await (const { vms, link } of samplesOf(path, lines)) {
    subjects.take(vms.map(({ row }) => row));
    for (const { row, line } of vms) {
      const values = metrics.map((name) => inputOf(name, row));
      for (const name of missing) if (Number.isFinite(values[metrics.indexOf(name)])) missing.delete(name);
      yield { vm: subjects.of(row), metrics, values, link, line };
    }
  }
  const [first] = missing;
  if (first === undefined || (wanted === undefined && missing.size < metrics.length)) return;
  throw new InputError(
    `${path}: no line has ${first} (${idsOf(first, false).join(' and ')}); was it recorded with --${first}?`,
  );
}

/** The VMs of one sample, with the lines they stand in, and the speed of the host's links. */
interface RecordedSample {
  readonly vms: readonly { readonly row: Fields; readonly line: number }[];
  readonly link: number;
}

/** The samples of a recording: a line each, or lines that follow each other with the same run and number. */
async function* samplesOf(
  path: string,
  lines: AsyncIterable<readonly [string, number]>,
): AsyncGenerator<RecordedSample> {
  let link = NaN;
  let sample = '';
  let vms: { row: Fields; line: number }[] = [];
  for await (const [text, line] of lines) {
    const { host, vms: rows, sample: next } = rowsOf(text, `${path}:${line}`);
    if (next !== sample) yield { vms, link };
    if (next !== sample) vms = [];
    sample = next;
    if (host !== undefined) link = typeof host['net_speed'] === 'number' ? host['net_speed'] : NaN;
    for (const row of rows) {
      if (typeof row['UUID'] !== 'string') throw new InputError(`${path}:${line}: found a VM without UUID`);
      vms.push({ row, line });
    }
  }
  yield { vms, link };
}

/** Whose the rows of a recording are. A VM that is started again is the same one; two at a time are not. */
class Subjects {
  private readonly known = new Map<string, Subject>();
  /** UUIDs, kinds and vmids that two guests had at a time: from then on the pid tells them apart. */
  private readonly shared = new Set<string>();

  /** Looks which VMs of a sample have the same UUID and vmid. */
  take(rows: readonly Fields[]): void {
    const seen = new Set<string>();
    for (const row of rows) {
      const id = keyOf(row);
      if (seen.has(id)) this.shared.add(id);
      seen.add(id);
    }
  }

  of(row: Fields): Subject {
    const pid = this.shared.has(keyOf(row)) ? textOf(row['pid']) : undefined;
    const key = `${keyOf(row)} ${pid ?? ''}`;
    let subject = this.known.get(key);
    if (subject === undefined) {
      const [guest_type, vmid] = [textOf(row['guest_type']), textOf(row['vmid'])];
      subject = { name: String(row['UUID']), guest_type, vmid, pid };
      this.known.set(key, subject);
    }
    return subject;
  }
}

function keyOf(row: Fields): string {
  return ['UUID', 'guest_type', 'vmid'].map((id) => textOf(row[id]) ?? '').join(' ');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The rows of a line: of a whole cycle, or one row of it. */
function rowsOf(
  text: string,
  place: string,
): { host: Fields | undefined; vms: readonly Fields[]; sample: string } {
  const line = parseJson(text);
  if (line === undefined)
    throw new InputError(`${place}: expected a line of JSON, found ${JSON.stringify(text.slice(0, 40))}`);
  if (isObject(line)) {
    const { type, domains, host, run, seq } = line;
    const sample = `${String(run)} ${String(seq)}`;
    if (Array.isArray(domains))
      return { host: isObject(host) ? host : undefined, vms: domains.filter(isObject), sample: place };
    if (typeof type === 'string')
      return { host: type === 'host' ? line : undefined, vms: type === 'vm' ? [line] : [], sample };
    if ('profile' in line)
      throw new InputError(
        `${place}: found a profile, expected samples; --plot and --simulate take profiles`,
      );
  }
  throw new InputError(`${place}: found no sample of proxtop, expected domains, or a type`);
}
