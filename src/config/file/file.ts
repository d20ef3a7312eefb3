import { brief } from '../../base/strings/printable.ts';
import { ConfigError } from '../errors.ts';
import type { Given, GivenMap } from '../layers/given.ts';
import type { FileLayer, OutputSection } from '../layers/layer.ts';
import { literal } from './literal.ts';
import { nearest } from '../nearest.ts';
import { readText } from './read-text.ts';
import { schemaOptions, printing, schema, selecting } from '../schema/schema.ts';
import type { SectionName } from '../schema/schema.ts';
import { thresholdKeys } from '../thresholds.ts';
import { listed, quoted, refuse } from '../values.ts';

/** The sections there can be. */
const headers = ['[connector]', '[output.NAME]', '[history]', '[profiler]', '[thresholds]'];

/** What the NAME of [output.NAME] may be; it becomes the name of a directory. */
const outputName = /^[\w-][\w.-]{0,63}$/;

/** The one key of the original's file that was for proxtop. */
const originalTarget = 'PROXTOP_TARGET';

/** Reads and checks the names in a configuration file. Throws a ConfigError. */
export function readConfigFile(path: string): FileLayer {
  return parseConfig(readText(path), path);
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
 * Reads INI text: `key = value`, `[section]`, comments in lines that begin with `;` or `#`; values see {@link literal}.
 * The lines are taken one by one, because a message names the line and a key given twice is an error. What a message
 * shows of a line ends where a secret could begin.
 *
 * The file of the original program holds shell assignments: PROXTOP_TARGET means a tcp output, PROXPROFILER_PARAMS
 * belongs to the profiler and is passed over.
 */
export function parseConfig(text: string, path: string): FileLayer {
  const general = new Map<string, Given>();
  const connector = new Map<string, Given>();
  const history = new Map<string, Given>();
  const profiler = new Map<string, Given>();
  const thresholds = new Map<string, Given>();
  const outputs = new Map<string, OutputSection>();
  let section: Section = { kind: 'general', header: '', given: general };

  const open = (name: string, origin: string): Section => {
    const header = `[${name}]`;
    if (name === 'connector') return { kind: 'connector', header, given: connector };
    if (name === 'history') return { kind: 'history', header, given: history };
    if (name === 'profiler') return { kind: 'profiler', header, given: profiler };
    if (name === 'thresholds') return { kind: 'thresholds', header, given: thresholds };
    const output = name === 'output' ? '' : /^output\.(.*)$/.exec(name)?.[1];
    if (output !== undefined && !outputName.test(output)) {
      throw new ConfigError(
        `${origin}: found ${quoted(output)} as the name of an output, expected up to 64 letters, digits, "_", "-" and ".", such as [output.logstash]`,
      );
    }
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

  for (const [index, raw] of text.split(/\r\n|\r|\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue;
    const place = `${path}:${index + 1}`;
    const name = /^\[([^\]]*)\]\s*(?:[;#].*)?$/.exec(line)?.[1];
    if (name !== undefined) {
      section = open(name.trim(), place);
      continue;
    }
    const equals = line.indexOf('=');
    const key = line.slice(0, Math.max(0, equals)).trim();
    if (!/^[\w.-]+$/.test(key)) throw new ConfigError(`${place}: ${noKey(line, section.kind)}`);
    const origin = `${place}, ${section.header === '' ? '' : `${section.header} `}${brief(key, 60)}`;
    if (section.kind === 'general' && key.startsWith('PROXPROFILER_')) continue;
    const value = { text: valueIn(line.slice(equals + 1), origin), origin };
    if (section.kind === 'general' && key === originalTarget) {
      if (value.text === '')
        throw new ConfigError(`${origin}: is empty, expected host:port; leave the line out for no output`);
      const earlier = outputs.get(key);
      if (earlier !== undefined) throw new ConfigError(`${origin}: already set at ${earlier.origin}`);
      const type = { text: 'tcp', origin };
      outputs.set(key, { origin, given: new Map(Object.entries({ type, target: value })) });
    } else {
      set(section, key, value);
    }
  }
  return { general, connector, history, profiler, outputs, thresholds };
}

function valueIn(written: string, origin: string): string {
  const text = literal(written);
  if (text !== undefined) return text;
  throw new ConfigError(
    `${origin}: the value begins with a quotation mark and does not end with it; ` +
      'if it is part of the value, put the value in quotation marks of the other kind',
  );
}

/** Why a line is none of `key = value`. Of what stands behind its first word nothing is shown: it may be a secret. */
function noKey(line: string, section: SectionKind): string {
  if (/^export\s/.test(line)) return 'found "export ...", expected key = value; leave out export';
  const [, word = '', more = ''] = /^([^\s:=]*)(.?)/u.exec(line) ?? [];
  // A word alone may be the rest of a secret that was broken into two lines.
  const isOurs = section !== 'output' || nearest(word, keysOf(section)) !== undefined || /^\[/.test(word);
  const shown = [...(isOurs ? [word] : []), ...(isOurs && more === '' ? [] : ['...'])].join(' ').trim();
  const expected = keysOf(section).includes(word) ? `${word} = value` : 'key = value, or [section]';
  return refuse(shown, expected).reason;
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
  const keys = Object.keys(schemaOptions(section));
  return section === 'output' ? [...keys, ...Object.keys(printing), ...Object.keys(selecting)] : keys;
}

/** What was probably meant by an unknown key: the same one elsewhere, or one that looks alike. */
function hint(kind: SectionKind, header: string, key: string): string {
  if (kind !== 'general' && Object.hasOwn(schema.general, key))
    return '; it belongs at the top, before the first [section]';
  if (
    kind !== 'output' &&
    (Object.hasOwn(schema.output, key) || Object.hasOwn(selecting, key)) &&
    key !== 'type'
  )
    return '; it belongs in [output.NAME]';
  if (kind !== 'connector' && Object.hasOwn(schema.connector, key)) return '; it belongs in [connector]';
  if (kind !== 'history' && Object.hasOwn(schema.history, key)) return '; it belongs in [history]';
  if (kind !== 'profiler' && Object.hasOwn(schema.profiler, key)) return '; it belongs in [profiler]';
  const known = keysOf(kind);
  const near = nearest(key.replace(/^PROXTOP_/, ''), known);
  if (near !== undefined) return `; did you mean ${near}?`;
  if (kind === 'thresholds') return '; keys are metrics that are numbers, see proxtop --list-metrics';
  return `; ${header === '' ? 'keys at the top' : `keys of ${header}`} are ${known.join(', ')}`;
}
