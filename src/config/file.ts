import { readFileSync } from 'node:fs';
import { unsafe } from 'ini';
import { ConfigError } from './errors.ts';
import type { Given, GivenMap } from './given.ts';
import type { FileLayer, OutputSection } from './layer.ts';
import { nearest } from './nearest.ts';
import { optionsOf, printing, schema, selecting } from './schema.ts';
import type { SectionName } from './schema.ts';
import { thresholdKeys } from './thresholds.ts';
import { listed, refuse } from './values.ts';

const troubles: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
  EISDIR: 'it is a directory',
};

/** The sections there can be. */
const headers = ['[connector]', '[output.NAME]', '[profiler]', '[thresholds]'];

/** The one key of the original's file that was for proxtop. */
const originalTarget = 'PROXTOP_TARGET';

/** Reads and checks the names in a configuration file. Throws a ConfigError. */
export function readConfigFile(path: string): FileLayer {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new ConfigError(`${path}: cannot read the configuration file: ${troubles[code] ?? message}`);
  }
  return parseConfig(text, path);
}

/** What a section can be: [thresholds] holds no options, and stands in the file alone. */
type SectionKind = SectionName | 'thresholds';

/** The section that the lines stand in. */
interface Section {
  readonly kind: SectionKind;
  /** As it stands in the file; '' at the top. */
  readonly header: string;
  readonly given: Map<string, Given>;
}

/**
 * Reads INI text: `key = value`, `[section]`, comments from `;` or `#`. Values are unquoted by the ini package; the
 * lines are taken one by one, because a message names the line and a key given twice is an error.
 *
 * The file of the original program holds shell assignments: PROXTOP_TARGET means a tcp output, PROXPROFILER_PARAMS
 * belongs to the profiler and is passed over.
 */
export function parseConfig(text: string, path: string): FileLayer {
  const general = new Map<string, Given>();
  const connector = new Map<string, Given>();
  const profiler = new Map<string, Given>();
  const thresholds = new Map<string, Given>();
  const outputs = new Map<string, OutputSection>();
  let section: Section = { kind: 'general', header: '', given: general };

  const open = (name: string, origin: string): Section => {
    const header = `[${name}]`;
    if (name === 'connector') return { kind: 'connector', header, given: connector };
    if (name === 'profiler') return { kind: 'profiler', header, given: profiler };
    if (name === 'thresholds') return { kind: 'thresholds', header, given: thresholds };
    const output = /^output\.([\w-][\w.-]*)$/.exec(name)?.[1];
    if (output === undefined) {
      const { reason } = refuse(header, listed(headers), headers);
      throw new ConfigError(`${origin}: unknown section: ${reason}`);
    }
    const earlier = outputs.get(output);
    if (earlier !== undefined)
      throw new ConfigError(`${origin}: ${header} already begins at ${earlier.origin}`);
    const given = new Map<string, Given>();
    outputs.set(output, { origin: `${origin}, ${header}`, given });
    return { kind: 'output', header, given };
  };

  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue;
    const place = `${path}:${index + 1}`;
    const name = /^\[([^\]]*)\]\s*(?:[;#].*)?$/.exec(line)?.[1];
    if (name !== undefined) {
      section = open(name.trim(), place);
      continue;
    }
    const equals = line.indexOf('=');
    if (equals < 1 || line.startsWith('[')) {
      throw new ConfigError(`${place}: ${refuse(line, 'key = value, or [section]').reason}`);
    }
    const key = line.slice(0, equals).trim();
    const origin = `${place}, ${section.header === '' ? '' : `${section.header} `}${key}`;
    const value = { text: unquoted(line.slice(equals + 1)), origin };
    if (section.kind === 'general' && key === originalTarget) {
      const earlier = outputs.get(key);
      if (earlier !== undefined) throw new ConfigError(`${origin}: already set at ${earlier.origin}`);
      const type = { text: 'tcp', origin };
      outputs.set(key, { origin, given: new Map(Object.entries({ type, target: value })) });
    } else if (!(section.kind === 'general' && key.startsWith('PROXPROFILER_'))) {
      set(section, key, value);
    }
  }
  return { general, connector, profiler, outputs, thresholds };
}

/** Takes quotes and comments off a value. The ini package reads 'single quoted' numbers as JSON: back to text. */
function unquoted(written: string): string {
  const value: unknown = unsafe(written);
  return String(value);
}

/** Notes a value. Throws a ConfigError for a key that is unknown in this section or was set before. */
function set({ kind, header, given }: Section, key: string, value: Given): void {
  const known = keysOf(kind);
  if (!known.includes(key)) throw new ConfigError(`${value.origin}: unknown key${hint(kind, header, key)}`);
  const earlier: Given | undefined = (given as GivenMap).get(key);
  if (earlier !== undefined) throw new ConfigError(`${value.origin}: already set at ${earlier.origin}`);
  given.set(key, value);
}

/** The keys that a section of the file can hold. */
export function keysOf(section: SectionKind): readonly string[] {
  if (section === 'thresholds') return thresholdKeys;
  const keys = Object.keys(optionsOf(section));
  return section === 'output' ? [...keys, ...Object.keys(printing), ...Object.keys(selecting)] : keys;
}

/** What was probably meant by an unknown key: the same one elsewhere, or one that looks alike. */
function hint(kind: SectionKind, header: string, key: string): string {
  if (kind !== 'general' && key in schema.general)
    return '; it belongs at the top, before the first [section]';
  if (kind !== 'output' && (key in schema.output || key in selecting) && key !== 'type')
    return '; it belongs in [output.NAME]';
  if (kind !== 'connector' && key in schema.connector) return '; it belongs in [connector]';
  if (kind !== 'profiler' && key in schema.profiler) return '; it belongs in [profiler]';
  const known = keysOf(kind);
  const near = nearest(key.replace(/^PROXTOP_/, ''), known);
  if (near !== undefined) return `; did you mean ${near}?`;
  if (kind === 'thresholds') return '; keys are metrics that are numbers, see proxtop --list-metrics';
  return `; ${header === '' ? 'keys at the top' : `keys of ${header}`} are ${known.join(', ')}`;
}
