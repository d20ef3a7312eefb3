import { Parser } from 'yargs/helpers';
import { readEnvironment } from '../config/environment.ts';
import { ConfigError } from '../config/errors.ts';
import { readConfigFile } from '../config/file.ts';
import { parseGiven } from '../config/given.ts';
import type { Given } from '../config/given.ts';
import type { Layer } from '../config/layer.ts';
import { nearest } from '../config/nearest.ts';
import { resolveSettings } from '../config/resolve.ts';
import type { SectionName } from '../config/schema.ts';
import type { Settings } from '../config/settings.ts';
import { choice } from '../config/values.ts';
import { canBeNegated, flags, synopsis } from './flags.ts';
import type { Flag } from './flags.ts';
import { helpText } from './help.ts';
import { reportDirectory } from './status-report.ts';
import { settingsOfView } from './wanted-view.ts';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'list-metrics'; readonly format: 'table' | 'json' }
  | { readonly kind: 'check'; readonly settings: Settings; readonly view: boolean }
  | { readonly kind: 'status'; readonly directory: string }
  | {
      readonly kind: 'run';
      readonly settings: Settings;
      readonly configFile?: string;
      /** Whether the terminal view is shown. */
      readonly view: boolean;
    };

const byName: ReadonlyMap<string, Flag> = new Map(flags.map((flag) => [flag.name, flag]));
const withValue = flags.filter(({ placeholder }) => placeholder !== undefined).map(({ name }) => name);
const withoutValue = flags.filter(({ placeholder }) => placeholder === undefined).map(({ name }) => name);
const allNames = flags.flatMap(({ name, aliases }) => [name, ...aliases]);

/**
 * Reads command line (without node and script), environment and the file that --config names. Throws a ConfigError.
 * Called again with the same arguments it reads the file anew.
 *
 * @param onTerminal whether standard input and output are a terminal
 */
export function parseCommandLine(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  onTerminal = false,
): Command {
  const status = argv[0] === 'status';
  const given = parseFlags(status ? argv.slice(1) : argv);
  if (given.has('help')) return { kind: 'help', text: helpText() };
  if (given.has('version')) return { kind: 'version' };
  const list = given.get('list-metrics');
  if (list !== undefined)
    return { kind: 'list-metrics', format: parseGiven(list, (text) => listFormats.parse(text)) };
  const configFile = given.get('config')?.text;
  const file = configFile === undefined ? undefined : readConfigFile(configFile);
  const environment = readEnvironment(env);
  const args = argumentLayer(given);
  const settings = resolveSettings(file, environment, args);
  if (status) return { kind: 'status', directory: reportDirectory(env, settings.roots.rundir) };
  const ofView = settingsOfView(settings, {
    file,
    environment,
    args,
    asked: given.has('view'),
    onTerminal,
    terminal: env['TERM'],
  });
  const wanted = { settings: ofView ?? settings, view: ofView !== undefined };
  if (given.has('check')) return { kind: 'check', ...wanted };
  return { kind: 'run', ...wanted, ...(configFile !== undefined && { configFile }) };
}

const listFormats = choice(['table', 'json']);

/** The flags that were given, by name; those without a value have `true` or `false`. Throws a ConfigError. */
function parseFlags(argv: readonly string[]): ReadonlyMap<string, Given> {
  const { argv: parsed, error } = Parser.detailed([...argv], {
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
    if (flag === undefined || (value === false && !canBeNegated(flag))) throw unknownFlag(name, value);
    given.set(name, readFlag(flag, value));
  }
  const [stray] = rest;
  if (stray !== undefined) {
    throw new ConfigError(
      `${JSON.stringify(stray)}: unexpected argument; proxtop takes only flags, or status before them, see proxtop --help`,
    );
  }
  // The one thing left that the parser objects to: --flag=value where the flag takes none.
  if (error !== null) throw valueNotTaken(argv);
  return given;
}

function readFlag(flag: Flag, value: string | boolean): Given {
  const origin = value === false ? `--no-${flag.name}` : `--${flag.name}`;
  const text = value === '' ? flag.bare : String(value);
  if (text === undefined) throw new ConfigError(`${origin}: needs a value: --${flag.name}${synopsis(flag)}`);
  return { text, origin };
}

function unknownFlag(name: string, value: string | boolean): ConfigError {
  const written = value === false ? `--no-${name}` : name.length === 1 ? `-${name}` : `--${name}`;
  const near =
    name.length === 1 || value === false
      ? undefined
      : nearest(
          name,
          allNames.filter((known) => known.length > 1),
        );
  return new ConfigError(
    `${written}: unknown flag; ${near === undefined ? 'see proxtop --help' : `did you mean --${near}?`}`,
  );
}

function valueNotTaken(argv: readonly string[]): ConfigError {
  const names = flags
    .filter(({ placeholder }) => placeholder === undefined)
    .flatMap(({ name, aliases }) => [name, ...aliases]);
  const flag = argv
    .map((arg) => /^(--?([^=]+))=/.exec(arg))
    .find((match) => names.includes(match?.[2] ?? ''))?.[1];
  return new ConfigError(`${flag ?? 'flag'}: takes no value`);
}

/** Sorts flags by the options they set. Throws a ConfigError for switches that exclude each other. */
function argumentLayer(given: ReadonlyMap<string, Given>): Layer {
  const layer: Record<SectionName, Map<string, Given>> = {
    general: new Map(),
    connector: new Map(),
    output: new Map(),
  };
  for (const [name, value] of given) {
    const option = byName.get(name)?.option;
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
