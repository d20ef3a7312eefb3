import { readEnvironment } from '../config/layers/environment.ts';
import { readConfigFile } from '../config/file/file.ts';
import { parseGiven } from '../config/layers/given.ts';
import { resolveSettings } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import { choice } from '../config/values.ts';
import type { Examined } from './examine.ts';
import { flags } from './flags.ts';
import { helpText } from './help.ts';
import { parseReportRequest, reportUsage } from './report/report-arguments.ts';
import type { ReportRequest } from './report/report-arguments.ts';
import { parseSpoolRequest, spoolUsage } from './spool/spool-arguments.ts';
import type { SpoolRequest } from './spool/spool-arguments.ts';
import { reportDirectory } from '../status/report.ts';
import { argumentLayer, parseFlags } from './parse-flags.ts';
import type { Program } from './parse-flags.ts';
import type { Span } from '../history/span.ts';
import { parseSpan, spanFlags, withImpliedReplay } from './span-arguments.ts';
import { settingsOfView } from './wanted-view.ts';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'list-metrics'; readonly format: 'table' | 'json' }
  | { readonly kind: 'check'; readonly examined: Examined; readonly view: boolean }
  | { readonly kind: 'status'; readonly directory: string }
  | { readonly kind: 'spool'; readonly request: SpoolRequest; readonly stateDir: string }
  | { readonly kind: 'report'; readonly request: Exclude<ReportRequest, { readonly help: string }> }
  | {
      readonly kind: 'run';
      readonly settings: Settings;
      readonly config: string | undefined;
      /** Whether the terminal view is shown. */
      readonly view: boolean;
      /** The part of what is replayed. */
      readonly span: Span;
    };

/** proxtop with every flag it takes. */
export const proxtopProgram: Program = {
  name: 'proxtop',
  usage: ['proxtop [FLAG]...', 'proxtop status [FLAG]...', reportUsage, ...spoolUsage],
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
  // Whoever asks what would run is told of both.
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
  return { kind: 'run', ...wanted, config: configFile, span };
}

const listFormats = choice(['table', 'json']);
