import { readEnvironment } from '../../config/layers/environment.ts';
import { readConfigFile } from '../../config/file/file.ts';
import { parseGiven } from '../../config/layers/given.ts';
import { ConfigError } from '../../config/errors.ts';
import { resolveSettings } from '../../config/resolve.ts';
import { theHistory } from '../../config/schema/schema.ts';
import type { Settings } from '../../config/settings.ts';
import { choice } from '../../config/values.ts';
import type { Examined } from '../examine.ts';
import { flags } from './flags.ts';
import { helpText } from '../help.ts';
import { parseReportRequest, reportUsage } from '../report/report-arguments.ts';
import type { ReportRequest } from '../report/report-arguments.ts';
import { parseSpoolRequest, spoolUsage } from '../spool/spool-arguments.ts';
import type { SpoolRequest } from '../spool/spool-arguments.ts';
import { reportDirectory } from '../status/report.ts';
import { argumentLayer, parseFlags } from './parse-flags.ts';
import type { Program } from './parse-flags.ts';
import type { Span } from '../../history/span.ts';
import { parseSpan, spanFlags, withImpliedReplay } from './span-arguments.ts';
import { settingsOfView } from './wanted-view.ts';
import { parseWorstRequest, worstProgram } from '../worst/worst-arguments.ts';
import type { WorstRequest } from '../worst/worst-arguments.ts';
import { worstHelp } from '../worst/worst-help.ts';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'list-metrics'; readonly format: 'table' | 'json' }
  | { readonly kind: 'check'; readonly examined: Examined; readonly view: boolean }
  | { readonly kind: 'status'; readonly directory: string }
  | {
      readonly kind: 'worst';
      readonly request: WorstRequest;
      readonly settings: Settings;
      readonly span: Span;
    }
  | { readonly kind: 'spool'; readonly request: SpoolRequest; readonly stateDir: string }
  | { readonly kind: 'report'; readonly request: Exclude<ReportRequest, { readonly help: string }> }
  | {
      readonly kind: 'run';
      readonly settings: Settings;
      readonly config: string | undefined;
      /** Whether the terminal view is shown. */
      readonly view: boolean;
      /** Whether a proxtop of another host reads what is printed. */
      readonly changes: boolean;
      /** The part of what is replayed. */
      readonly span: Span;
    };

/** proxtop with every flag it takes. */
export const proxtopProgram: Program = {
  name: 'proxtop',
  usage: ['proxtop [FLAG]...', 'proxtop status [FLAG]...', ...worstProgram.usage, reportUsage, ...spoolUsage],
  flags: [...flags, ...spanFlags],
};

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
  if (argv[0] === 'report') {
    const request = parseReportRequest(argv.slice(1), readEnvironment(env), Date.now());
    return 'help' in request ? { kind: 'help', text: request.help } : { kind: 'report', request };
  }
  if (argv[0] === 'worst') return parseWorst(argv.slice(1), env);
  if (argv[0] === 'top')
    throw new ConfigError(
      'top: unexpected argument; proxtop alone shows what runs now, proxtop worst lists the worst guests of a span',
    );
  const status = argv[0] === 'status';
  const spool = argv[0] === 'spool' ? parseSpoolRequest(argv.slice(1)) : undefined;
  const given = withImpliedReplay(
    parseFlags(spool?.flags ?? (status ? argv.slice(1) : argv), proxtopProgram),
  );
  if (given.has('help')) return { kind: 'help', text: helpText(proxtopProgram) };
  if (given.has('version')) return { kind: 'version' };
  const list = given.get('list-metrics');
  if (list !== undefined)
    return { kind: 'list-metrics', format: parseGiven(list, (text) => listFormats.parse(text)) };
  const configFile = given.get('config')?.text;
  const file = configFile === undefined ? undefined : readConfigFile(configFile);
  const check = given.has('check');
  const { service, ...asked } = readEnvironment(env);
  // --check describes both.
  const environment = { ...asked, service: service && !check };
  const args = argumentLayer(given, proxtopProgram);
  const settings = resolveSettings(file, environment, args);
  const span = parseSpan(given, Date.now());
  if (spool !== undefined) return { kind: 'spool', request: spool.request, stateDir: settings.stateDir };
  if (status) return { kind: 'status', directory: reportDirectory(env, settings.runDir) };
  const ofView = settingsOfView(settings, {
    file,
    environment,
    args,
    asked: given.has('view'),
    onTerminal,
    terminal: env['TERM'],
  });
  const wanted = { settings: ofView ?? settings, view: ofView !== undefined };
  if (check) {
    const ofService = resolveSettings(file, { ...environment, service: true }, args);
    const examined = { settings: wanted.settings, service: ofService, fromFile: file !== undefined };
    return { kind: 'check', examined, view: wanted.view };
  }
  return { kind: 'run', ...wanted, changes: given.has('changes'), config: configFile, span };
}

function parseWorst(argv: readonly string[], env: NodeJS.ProcessEnv): Command {
  const flagsGiven = parseFlags(argv, worstProgram);
  if (flagsGiven.has('help')) return { kind: 'help', text: worstHelp() };
  const request = parseWorstRequest(flagsGiven);
  const given = new Map([['replay', { text: theHistory, origin: 'proxtop worst' }], ...flagsGiven]);
  const config = given.get('config')?.text;
  const settings = resolveSettings(
    config === undefined ? undefined : readConfigFile(config),
    { ...readEnvironment(env), service: false },
    argumentLayer(given, worstProgram),
  );
  return { kind: 'worst', request, settings, span: parseSpan(given, Date.now()) };
}

const listFormats = choice(['table', 'json']);
