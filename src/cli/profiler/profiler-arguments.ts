import { readEnvironment } from '../../config/layers/environment.ts';
import { ConfigError } from '../../config/errors.ts';
import { readConfigFile } from '../../config/file/file.ts';
import { parseGiven } from '../../config/layers/given.ts';
import type { Given } from '../../config/layers/given.ts';
import { resolveProfilerSettings } from '../../config/profiler/resolve.ts';
import type { ProfilerRunSettings } from '../../config/profiler/resolve.ts';
import { integer } from '../../config/values.ts';
import type { Examined } from '../examine.ts';
import { information, own, sectionFlags } from '../arguments/flags.ts';
import type { Flag } from '../arguments/flags.ts';
import { argumentLayer, parseFlags } from '../arguments/parse-flags.ts';
import type { Program } from '../arguments/parse-flags.ts';
import { profilerHelp } from './profiler-help.ts';

/** What to do with profiles, where not to make them on a running host. */
type ProfilerTask =
  | { readonly kind: 'record'; readonly settings: ProfilerRunSettings; readonly config: string | undefined }
  | { readonly kind: 'profile-file'; readonly input: string; readonly settings: ProfilerRunSettings }
  | {
      readonly kind: 'judge';
      readonly profiles: string;
      readonly settings: ProfilerRunSettings;
      readonly config: string | undefined;
    }
  | {
      readonly kind: 'judge-file';
      readonly profiles: string;
      readonly input: string;
      readonly settings: ProfilerRunSettings;
    }
  | {
      readonly kind: 'show';
      /** A recording, or profiles. */
      readonly source: string;
      /** Steps to simulate; undefined for none. */
      readonly simulate: number | undefined;
      readonly plot: boolean;
      readonly settings: ProfilerRunSettings;
    };

/** What the command line of proxprofiler asks for. */
export type ProfilerCommand =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'check'; readonly settings: ProfilerRunSettings; readonly examined: Examined }
  | ProfilerTask;

/** The flags that say what to do instead of recording profiles. */
export const modes: readonly Flag[] = [
  {
    ...information,
    group: 'What to do instead',
    name: 'input',
    aliases: [],
    placeholder: 'FILE',
    help: 'profile a recording (CSV or JSON lines of proxtop, gzip or not), print the profile and exit',
  },
  {
    ...information,
    group: 'What to do instead',
    name: 'likeliness',
    aliases: [],
    placeholder: 'PROFILE',
    help: "stream samples as proxtop does, with each VM's profile_likeliness according to the profiles in this file",
  },
  {
    ...information,
    group: 'What to do instead',
    name: 'simulate',
    aliases: [],
    placeholder: 'N',
    help: 'print N simulated states from the profiles of --input or --likeliness, and exit',
  },
  {
    ...information,
    group: 'What to do instead',
    name: 'plot',
    aliases: [],
    help: 'show the transition matrices of --input or --likeliness as heat maps, and exit',
  },
];

/**
 * Collectors are chosen by what is profiled, recordings have flags of their own, and profiles come at their own pace; all else
 * of proxtop applies.
 */
const others = ['collectors', 'record', 'replay', 'hosts', 'cluster', 'interval', 'maxima'];
const flags: readonly Flag[] = [
  ...sectionFlags(['profiler', 'output', 'connector', 'general']).filter(
    ({ option }) => !others.includes(option?.key ?? ''),
  ),
  ...modes,
  ...own.filter(({ name }) => name !== 'list-metrics' && name !== 'view'),
];

/** proxprofiler with every flag it takes. */
export const profilerProgram: Program = {
  name: 'proxprofiler',
  usage: ['proxprofiler [FLAG]...'],
  flags,
};

/** Reads command line (without node and script), environment and the file that --config names. Throws a ConfigError. */
export function parseProfilerCommandLine(argv: readonly string[], env: NodeJS.ProcessEnv): ProfilerCommand {
  const given = parseFlags(argv, profilerProgram);
  if (given.has('help')) return { kind: 'help', text: profilerHelp(profilerProgram) };
  if (given.has('version')) return { kind: 'version' };
  const configFile = given.get('config')?.text;
  const file = configFile === undefined ? undefined : readConfigFile(configFile);
  const layer = argumentLayer(given, profilerProgram);
  const check = given.has('check');
  const { service, ...environment } = readEnvironment(env);
  const settingsOf = (isService: boolean): ProfilerRunSettings =>
    resolveProfilerSettings(file, { ...environment, service: isService }, layer);
  // Whoever asks what would run is told of both.
  const settings = settingsOf(service && !check);
  const task = taskOf(given, settings, configFile);
  if (!check) return task;
  const examined = { settings: settings.run, service: settingsOf(true).run, fromFile: file !== undefined };
  return { kind: 'check', settings, examined };
}

function taskOf(
  given: ReadonlyMap<string, Given>,
  settings: ProfilerRunSettings,
  config: string | undefined,
): ProfilerTask {
  const input = given.get('input')?.text;
  const profiles = given.get('likeliness')?.text;
  const steps = given.get('simulate');
  const plot = given.has('plot');
  if (steps !== undefined || plot) {
    const flag = plot ? '--plot' : '--simulate';
    if (input !== undefined && profiles !== undefined)
      throw new ConfigError(`${flag}: takes one of --input and --likeliness, found both`);
    const source = input ?? profiles;
    if (source === undefined) throw new ConfigError(`${flag}: needs --input FILE, a recording or a profile`);
    const simulate = steps === undefined ? undefined : parseGiven(steps, (text) => stepCount.parse(text));
    return { kind: 'show', source, simulate, plot, settings };
  }
  if (profiles !== undefined)
    return input === undefined
      ? { kind: 'judge', profiles, settings, config }
      : { kind: 'judge-file', profiles, input, settings };
  return input === undefined
    ? { kind: 'record', settings, config }
    : { kind: 'profile-file', input, settings };
}

const stepCount = integer(1, 1_000_000);
