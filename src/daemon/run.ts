import { createCollectors } from '../collectors/index.ts';
import type { ExitCode } from '../cli/exit-codes.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { reportDirectory } from '../cli/status-report.ts';
import { allOutputs } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import type { Thresholds } from '../config/thresholds.ts';
import type { Connector } from '../connectors/connector.ts';
import { AwaitedConnector, detectConnector, lookedFor } from '../connectors/detect.ts';
import { Paths } from '../kernel/paths.ts';
import { collectorNames } from '../metrics/catalogue.ts';
import type { Output } from '../outputs/output.ts';
import { sampleLoop } from '../sampling/loop.ts';
import { Pace } from '../sampling/pace.ts';
import type { Sample } from '../sampling/sample.ts';
import { Sampler } from '../sampling/sampler.ts';
import { LogStream, createLog } from './logging.ts';
import { keepMemoryLow } from './memory.ts';
import { closeOutputs, endBy, obeySignals, openOutputs } from './outputs.ts';
import { StatusFile } from './status-file.ts';
import type { OpenedView } from './view.ts';
import { reportFileTroubles, reportMissingColumns } from './trouble-report.ts';

/** ms that reads under way have to come back when all else has ended. */
const EXIT_DEADLINE = 1000;

/** How a run was asked for. */
export interface RunRequest {
  /** Where the settings come from, for those who ask how it runs. */
  readonly configFile?: string;
  /** Whether the terminal view is shown. */
  readonly view: boolean;
}

/**
 * Samples and streams until the runs are done, a signal says stop, or the user of the view has seen enough.
 *
 * @returns the exit code
 */
export async function run(
  asked: Settings,
  env: NodeJS.ProcessEnv,
  { configFile, view: viewed }: RunRequest,
): Promise<ExitCode> {
  const settings = viewed ? forView(asked) : asked;
  const logStream = new LogStream();
  const log = createLog(settings.logLevel, env, logStream);
  const outputSettings = allOutputs(settings);
  reportFileTroubles(log);
  reportMissingColumns(log);
  const paths = new Paths(settings.roots);
  const beat = { detailInterval: settings.detailInterval, frequency: settings.frequency };
  const detect = () => detectConnector(settings, paths, beat, log);
  const found = await detect();
  if (found === undefined) {
    const missing = `no hypervisor found: looked for ${lookedFor(settings, paths)}`;
    if (process.stderr.isTTY) {
      log.error(missing);
      return exitCodes.failure;
    }
    log.warn(`${missing}; the host is measured, and it is looked again every 30 s`);
  }
  const look = async (): Promise<Connector | undefined> => {
    const late = await detect();
    if (late !== undefined) log.info('a hypervisor is there now');
    return late;
  };
  const connector = found ?? new AwaitedConnector(look);
  const wanted = {
    verbose: viewed || outputSettings.some(({ print }) => print.verbose),
    devices: viewed || outputSettings.some(({ print }) => print.devices),
  };
  const { netdev, storedev } = settings;
  const collectors = createCollectors(settings.collectors, paths, { wanted, netdev, storedev });
  const sampler = new Sampler(paths, connector, collectors, log);

  const stop = new AbortController();
  let outputs: readonly Output[];
  try {
    outputs = await openOutputs(outputSettings, log, stop);
  } catch (error) {
    log.error((error as Error).message);
    return exitCodes.failure;
  }
  obeySignals(stop, outputs);
  keepMemoryLow();
  const statusFile = new StatusFile(reportDirectory(env, paths.roots.rundir), configFile, outputs, log);
  const pace = new Pace(settings.frequency, stop.signal);
  const view = viewed ? await openLive(pace, stop, settings.thresholds, logStream, env) : undefined;
  const emit = (sample: Sample): void => {
    view?.update(sample);
    for (const output of outputs) output.write(sample);
  };
  const { runs } = settings;
  await sampleLoop(sampler, connector, { pace, runs, outputs, emit }, stop.signal, log);
  view?.close();
  await closeOutputs(outputs);
  await statusFile.close();
  sampler.close();
  endInSpiteOfHangingFiles();
  return exitCodes.done;
}

/** Opens the view on what is sampled; its code is loaded only here. */
async function openLive(
  pace: Pace,
  stop: AbortController,
  thresholds: Thresholds,
  log: LogStream,
  env: NodeJS.ProcessEnv,
): Promise<OpenedView> {
  const { openView } = await import('./view.ts');
  const { LiveSource } = await import('../tui/live-source.ts');
  return openView(new LiveSource(pace, stop), thresholds, log, env);
}

/** A view shows everything, as fresh as it can be had; the outputs beside it get what they would without it. */
function forView(settings: Settings): Settings {
  const outputs = settings.outputs.map((output) => ({
    ...output,
    select: { ...output.select, collectors: output.select?.collectors ?? settings.collectors },
  }));
  const { frequency, detailInterval = frequency } = settings;
  return { ...settings, collectors: collectorNames, detailInterval, outputs };
}

/**
 * Node waits for every read under way before it ends, and process.exit does too; one of a file system that hangs
 * (/etc/pve, network storage) never comes back. The default action of a signal waits for nothing.
 */
function endInSpiteOfHangingFiles(): void {
  setTimeout(() => {
    endBy('SIGTERM');
  }, EXIT_DEADLINE).unref();
}
