import { readEnvironment } from '../config/environment.ts';
import { readConfigFile } from '../config/file.ts';
import { parseGiven } from '../config/given.ts';
import { resolveSettings } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import { choice } from '../config/values.ts';
import { flags } from './flags.ts';
import { helpText } from './help.ts';
import { reportDirectory } from './status-report.ts';
import { argumentLayer, parseFlags } from './parse-flags.ts';
import type { Program } from './parse-flags.ts';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'list-metrics'; readonly format: 'table' | 'json' }
  | { readonly kind: 'check'; readonly settings: Settings }
  | { readonly kind: 'status'; readonly directory: string }
  | { readonly kind: 'run'; readonly settings: Settings; readonly config: string | undefined };

/** proxtop with every flag it takes. */
export const proxtopProgram: Program = {
  name: 'proxtop',
  usage: ['proxtop [FLAG]...', 'proxtop status [FLAG]...'],
  flags,
};

/**
 * Reads command line (without node and script), environment and the file that --config names. Throws a ConfigError.
 * Called again with the same arguments it reads the file anew.
 */
export function parseCommandLine(argv: readonly string[], env: NodeJS.ProcessEnv): Command {
  const status = argv[0] === 'status';
  const given = parseFlags(status ? argv.slice(1) : argv, proxtopProgram);
  if (given.has('help')) return { kind: 'help', text: helpText(proxtopProgram) };
  if (given.has('version')) return { kind: 'version' };
  const list = given.get('list-metrics');
  if (list !== undefined)
    return { kind: 'list-metrics', format: parseGiven(list, (text) => listFormats.parse(text)) };
  const configFile = given.get('config')?.text;
  const file = configFile === undefined ? undefined : readConfigFile(configFile);
  const settings = resolveSettings(file, readEnvironment(env), argumentLayer(given, proxtopProgram));
  if (status) return { kind: 'status', directory: reportDirectory(env, settings.runDir) };
  if (given.has('check')) return { kind: 'check', settings };
  return { kind: 'run', settings, config: configFile };
}

const listFormats = choice(['table', 'json']);
