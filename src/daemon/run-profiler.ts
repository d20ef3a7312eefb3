import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import type { ExitCode } from '../cli/exit-codes.ts';
import { ConfigError } from '../config/errors.ts';
import type { ProfilerRunSettings } from '../config/profiler/resolve.ts';
import { requireOwnDirectory } from '../delivery/shared/own-files.ts';
import type { OutputSettings } from '../delivery/settings.ts';
import { InputError } from '../profiler/errors.ts';
import { usualInputs } from '../profiler/inputs.ts';
import { LikelinessCollector, measuredMetrics } from '../profiler/likeliness-collector.ts';
import { ProfilePrinter } from '../profiler/profile-printer.ts';
import { Profiler } from '../profiler/profiler.ts';
import { ProfileSet, readProfiles } from '../profiler/read/read-profiles.ts';
import { StateFile } from '../profiler/state-file.ts';
import { streaming } from './consumer.ts';
import { createLog } from './logging.ts';
import { run } from './run.ts';
import type { Invocation } from './run.ts';

/** Printers whose outputs take lines of text, and so a profile too. */
const lineFormats: readonly string[] = ['json', 'text'];

/** Profiles the running VMs until the runs are done or a signal says stop. @returns the exit code */
export async function recordProfiles(
  settings: ProfilerRunSettings,
  invocation: Invocation,
): Promise<ExitCode> {
  const { profiler } = settings;
  const log = createLog(settings.run.logLevel, invocation.env);
  const outputs = takers(settings.run.outputs, log);
  const file = openState(settings, log);
  const saver = new Saver(file, log);
  const profiles = new Profiler(profiler, settings.run.runs, load(file, log));
  return run({ ...settings.run, outputs }, invocation, {
    collectors: [],
    take: (sample) => {
      profiles.take(sample);
      if (profiles.due) void saver.report(file?.save(() => profiles.saved()));
      return sample;
    },
    printer: () => new ProfilePrinter(profiles),
    end: () => saver.report(file?.close(profiles.saved())),
  });
}

/** Logs when saving begins to fail, and when it works again. */
class Saver {
  private works = true;

  constructor(
    private readonly file: StateFile | undefined,
    private readonly log: Logger,
  ) {}

  async report(saving: Promise<void> | undefined): Promise<void> {
    const path = this.file?.path ?? '';
    try {
      await saving;
      if (!this.works) this.log.info(`${path}: profiles are saved again`);
      this.works = true;
    } catch (error) {
      if (this.works) this.log.error(`${path}: cannot save the profiles: ${(error as Error).message}`);
      this.works = false;
    }
  }
}

/** The outputs that can take profiles. Throws a ConfigError when there is none. */
function takers(outputs: readonly OutputSettings[], log: Logger): readonly OutputSettings[] {
  const formatOf = (output: OutputSettings): string =>
    output.type === 'prometheus' ? 'a page' : output.printer;
  const found = outputs.filter((output) => lineFormats.some((format) => format === formatOf(output)));
  for (const output of outputs)
    if (!found.includes(output))
      log.warn(
        `output ${output.name} prints ${formatOf(output)} and gets no profiles: these need printer json or text`,
      );
  if (found.length === 0)
    throw new ConfigError('no output accepts profiles: expected one with printer json or text');
  return found;
}

/** The state file; undefined where there is no directory for it. @throws ConfigError where others may write to that */
function openState({ run: { stateDir }, profiler }: ProfilerRunSettings, log: Logger): StateFile | undefined {
  if (existsSync(stateDir)) {
    try {
      requireOwnDirectory(stateDir);
    } catch (error) {
      throw new ConfigError(`state_dir = ${stateDir}: ${(error as Error).message}`);
    }
    return new StateFile(stateDir, profiler.profile);
  }
  log.info(
    `there is no directory ${stateDir}: profiles are lost when this program ends; create it or set --state-dir`,
  );
  return undefined;
}

function load(file: StateFile | undefined, log: Logger): ReturnType<StateFile['load']>['vms'] {
  if (file === undefined) return [];
  const { vms, trouble } = file.load();
  if (trouble !== undefined)
    log.warn(`${file.path} is renamed to ${file.path}.unusable and profiles start from zero: ${trouble}`);
  return vms;
}

/** Streams samples with how likely they are after the profiles in a file. Throws an InputError. @returns the exit code */
export async function judgeSamples(
  path: string,
  { run: settings, profiler }: ProfilerRunSettings,
  invocation: Invocation,
): Promise<ExitCode> {
  const profiles = new ProfileSet(await readProfiles(path), path);
  const needed = measuredMetrics(profiles);
  if (needed.length === 0)
    throw new InputError(`${path}: no profile has a metric measured here; enable its collectors`);
  const collectors = [...new Set([...(profiler.metrics ?? usualInputs), ...needed])];
  const consumer = { ...streaming(), collectors: [new LikelinessCollector(profiles)] };
  return run({ ...settings, collectors }, invocation, consumer);
}
