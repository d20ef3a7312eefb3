import { createCollectors } from '../collectors/index.ts';
import type { ExitCode } from '../cli/exit-codes.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { reportDirectory } from '../cli/status-report.ts';
import type { Settings } from '../config/settings.ts';
import type { Connector } from '../connectors/connector.ts';
import { AwaitedConnector, detectConnector, lookedFor } from '../connectors/detect.ts';
import { Paths } from '../kernel/paths.ts';
import { createOutput } from '../outputs/index.ts';
import type { Output } from '../outputs/output.ts';
import { createPrinter } from '../printers/index.ts';
import { sampleLoop } from '../sampling/loop.ts';
import type { Sample } from '../sampling/sample.ts';
import { Sampler } from '../sampling/sampler.ts';
import { createLog } from './logging.ts';
import { keepMemoryLow } from './memory.ts';
import { StatusFile } from './status-file.ts';
import { reportFileTroubles, reportMissingColumns } from './trouble-report.ts';

/** ms that queued records have to leave when the program ends. */
const FLUSH_DEADLINE = 5000;
/** ms that reads under way have to come back when all else has ended. */
const EXIT_DEADLINE = 1000;

/**
 * Samples and streams until the runs are done or a signal says stop.
 *
 * @param configFile where the settings come from, for those who ask how it runs
 * @returns the exit code
 */
export async function run(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  configFile?: string,
): Promise<ExitCode> {
  const log = createLog(settings.logLevel, env);
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
    verbose: settings.outputs.some(({ print }) => print.verbose),
    devices: settings.outputs.some(({ print }) => print.devices),
  };
  const { netdev, storedev } = settings;
  const collectors = createCollectors(settings.collectors, paths, { wanted, netdev, storedev });
  const sampler = new Sampler(paths, connector, collectors, log);

  const stop = new AbortController();
  const outputs: Output[] = [];
  try {
    for (const output of settings.outputs) {
      const printer = createPrinter(output.printer, output.print);
      outputs.push(
        createOutput(output, printer, log, () => {
          stop.abort();
        }),
      );
    }
  } catch (error) {
    log.error((error as Error).message);
    await Promise.all(outputs.map((output) => output.close(0)));
    return exitCodes.failure;
  }
  obeySignals(stop, outputs);
  keepMemoryLow();
  const statusFile = new StatusFile(reportDirectory(env, paths.roots.rundir), configFile, outputs, log);
  const { frequency, runs } = settings;
  const emit = (sample: Sample): void => {
    for (const output of outputs) output.write(sample);
  };
  await sampleLoop(sampler, connector, { frequency, runs, outputs, emit }, stop.signal, log);
  await Promise.all(outputs.map((output) => output.close(FLUSH_DEADLINE)));
  await statusFile.close();
  sampler.close();
  endInSpiteOfHangingFiles();
  return exitCodes.done;
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

function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** The first SIGINT or SIGTERM ends the sampling and delivers what is queued; a second one ends the program at once. */
function obeySignals(stop: AbortController, outputs: readonly Output[]): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) endBy(signal);
      stop.abort();
    });
  }
  process.on('SIGHUP', () => {
    for (const output of outputs) output.reopen();
  });
}
