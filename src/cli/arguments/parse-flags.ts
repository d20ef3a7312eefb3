import { Parser } from 'yargs/helpers';
import { ConfigError } from '../../config/errors.ts';
import type { Given } from '../../config/layers/given.ts';
import type { Layer } from '../../config/layers/layer.ts';
import { nearestOrLonger } from '../../config/nearest.ts';
import type { SectionName } from '../../config/schema/schema.ts';
import { quoted } from '../../config/values.ts';
import { brief } from '../../base/strings/printable.ts';
import { canBeNegated, synopsis } from './flags.ts';
import type { Flag } from './flags.ts';

/** A program and the flags it takes. */
export interface Program {
  readonly name: string;
  /** The forms of its command line. */
  readonly usage: readonly string[];
  readonly flags: readonly Flag[];
}

/** The flags that were given, by name; those without a value have `true` or `false`. Throws a ConfigError. */
export function parseFlags(argv: readonly string[], program: Program): ReadonlyMap<string, Given> {
  const { flags } = program;
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const withValue = flags.filter(({ placeholder }) => placeholder !== undefined).map(({ name }) => name);
  const withoutValue = flags.filter(({ placeholder }) => placeholder === undefined).map(({ name }) => name);
  const { argv: parsed, error } = Parser.detailed(withDashes(argv, flags), {
    string: withValue,
    boolean: withoutValue,
    narg: Object.fromEntries(withoutValue.map((name) => [name, 0])),
    alias: Object.fromEntries(flags.map(({ name, aliases }) => [name, [...aliases]])),
    configuration: {
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'strip-aliased': true,
    },
  });
  const { _: rest, ...values } = parsed as { readonly _: readonly string[] } & Readonly<
    Record<string, string | boolean>
  >;
  const given = new Map<string, Given>();
  for (const [name, value] of Object.entries(values)) {
    const flag = byName.get(name);
    if (flag === undefined || (value === false && !canBeNegated(flag)))
      throw unknownFlag(name, value, program);
    given.set(name, readFlag(flag, value));
  }
  const [stray] = rest;
  if (stray !== undefined) throw unexpected(stray, program);
  // The one thing left that the parser objects to: --flag=value where the flag takes none.
  if (error !== null) throw valueNotTaken(argv, flags);
  return given;
}

/** `--flag -` as `--flag=-`: a lone dash is a value, which the parser does not know, and so is -1h. */
function withDashes(argv: readonly string[], flags: readonly Flag[]): string[] {
  const taking = flags.filter(({ placeholder }) => placeholder !== undefined);
  const names = new Set(taking.map(({ name }) => `--${name}`));
  const isValue = (arg = ''): boolean => /^-(\d+(\.\d+)?\s*[a-z].*)?$/.test(arg);
  return argv.flatMap((arg, at) => {
    if (isValue(arg) && names.has(argv[at - 1] ?? '')) return [];
    const next = argv[at + 1];
    return [names.has(arg) && next !== undefined && isValue(next) ? `${arg}=${next}` : arg];
  });
}

function readFlag(flag: Flag, value: string | boolean): Given {
  const origin = value === false ? `--no-${flag.name}` : `--${flag.name}`;
  const text = value === '' ? flag.bare : String(value);
  if (text === undefined) throw new ConfigError(`${origin}: needs a value: --${flag.name}${synopsis(flag)}`);
  return { text, origin };
}

function unknownFlag(name: string, value: string | boolean, program: Program): ConfigError {
  const written = value === false ? `--no-${name}` : name.length === 1 ? `-${name}` : `--${name}`;
  const near = name.length === 1 || value === false ? undefined : nearestOrLonger(name, longNames(program));
  return new ConfigError(
    `${brief(written, 60)}: unknown flag; ${near === undefined ? `see ${program.name} --help` : `did you mean --${near}?`}`,
  );
}

/** A word that is no flag: perhaps the dashes are missing, or it is another word that stands alone. */
function unexpected(word: string, program: Program): ConfigError {
  if (/^\d{1,2}:\d{2}/.test(word))
    return new ConfigError(
      `${quoted(word)}: unexpected argument; put a day and its time into one pair of quotation marks, such as --at "yesterday 22:15"`,
    );
  const commands = program.usage.flatMap((form) => / ([a-z]+) /.exec(form)?.[1] ?? []);
  const near = nearestOrLonger(word.replace(/^-+/, ''), [...commands, ...longNames(program)]);
  const file = word.endsWith('.conf') ? `--config ${word}` : undefined;
  const meant = near === undefined ? file : commands.includes(near) ? near : `--${near}`;
  return new ConfigError(
    `${quoted(word)}: unexpected argument; ${
      meant === undefined ? `the usage is ${program.usage.join(' or ')}` : `did you mean ${brief(meant)}?`
    }`,
  );
}

function longNames({ flags }: Program): readonly string[] {
  return flags
    .filter(({ hidden }) => !hidden)
    .flatMap(({ name, aliases }) => [name, ...aliases])
    .filter((name) => name.length > 1);
}

function valueNotTaken(argv: readonly string[], flags: readonly Flag[]): ConfigError {
  const names = flags
    .filter(({ placeholder }) => placeholder === undefined)
    .flatMap(({ name, aliases }) => [name, ...aliases]);
  const flag = argv
    .map((arg) => /^(--?([^=]+))=/.exec(arg))
    .find((match) => names.includes(match?.[2] ?? ''))?.[1];
  return new ConfigError(`${flag ?? 'flag'}: takes no value`);
}

/** Sorts flags by the options they set. Throws a ConfigError for switches that exclude each other. */
export function argumentLayer(given: ReadonlyMap<string, Given>, { flags }: Program): Layer {
  const layer: Record<SectionName, Map<string, Given>> = {
    general: new Map(),
    connector: new Map(),
    output: new Map(),
    history: new Map(),
    profiler: new Map(),
  };
  const options = new Map(flags.map(({ name, option }) => [name, option]));
  for (const [name, value] of given) {
    const option = options.get(name);
    if (option === undefined) continue;
    const { section, key, list } = option;
    const text = option.value ?? value.text;
    const earlier = layer[section].get(key);
    if (earlier === undefined) {
      layer[section].set(key, { text, origin: value.origin });
    } else if (list) {
      layer[section].set(key, {
        text: `${earlier.text}, ${text}`,
        origin: `${earlier.origin} ${value.origin}`,
      });
    } else {
      throw new ConfigError(`${earlier.origin} and ${value.origin} exclude each other; give one of them`);
    }
  }
  return layer;
}
