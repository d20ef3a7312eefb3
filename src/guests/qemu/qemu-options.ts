import { parseJson } from '../../base/untyped/values.ts';

/** Maximum depth of JSON: more than the layers of a disk; bounds the work for a hostile command line. */
const MOST_LEVELS = 16;

/** The values of each option, in their order; options are taken with one or two dashes. */
export function optionsOf(argv: readonly string[]): Map<string, string[]> {
  const options = new Map<string, string[]>();
  for (let i = 1; i + 1 < argv.length; i++) {
    const option = /^--?([a-z].*)$/i.exec(argv[i] ?? '')?.[1];
    if (option === undefined) continue;
    const value = argv[i + 1] as string;
    const values = options.get(option) ?? [];
    values.push(value);
    options.set(option, values);
    // The value may itself begin with a dash (a name); an option without value is followed by another option.
    if (!/^--?[a-z]/i.test(value)) i++;
  }
  return options;
}

/** An option list of QEMU; see {@link suboptions}. */
export type Suboptions = ReadonlyMap<string, string>;

/** Whether a switch is on. */
export function isOn(list: Suboptions, key: string): boolean {
  return /^(?:on|yes|true|y)$/.test(list.get(key) ?? '');
}

/**
 * QEMU's option lists: `k=v` separated by commas, a doubled comma is a comma. A bare word at the front is kept under
 * `implied` (the driver, the backend, the size); a later one is a switch that is on. Of JSON, which some options take
 * as well, the members of members get names with dots, as they have in the other form: `file.filename`.
 */
export function suboptions(list: string, implied = ''): Map<string, string> {
  const result = new Map<string, string>();
  if (list.startsWith('{') && flatten(parseJson(list), result)) return result;
  list
    .replaceAll(',,', '\0')
    .split(',')
    .forEach((part, index) => {
      const text = part.replaceAll('\0', ',');
      const equals = text.indexOf('=');
      // QEMU takes the front for a bare word, whatever follows, if a comma stands in it before any `=`.
      const bare = equals < 0 || text.slice(0, equals).includes(',');
      if (!bare) result.set(text.slice(0, equals), text.slice(equals + 1));
      else if (index === 0) result.set(implied, text);
      else result.set(text, 'on');
    });
  return result;
}

/** @returns false where it is no object */
function flatten(value: unknown, into: Map<string, string>, prefix = '', depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const [key, member] of Object.entries(value)) {
    const name = prefix + key;
    if (typeof member !== 'object') into.set(name, String(member));
    else if (depth < MOST_LEVELS) flatten(member, into, `${name}.`, depth + 1);
  }
  return true;
}
