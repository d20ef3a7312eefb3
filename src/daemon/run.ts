import type { Collector } from '../collectors/collector.ts';
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
import type { OutputSettings } from '../outputs/settings.ts';
import { createPrinter } from '../printers/index.ts';
import type { Printer } from '../printers/printer.ts';
import { sampleLoop } from '../sampling/loop.ts';
import type { Sample } from '../sampling/sample.ts';
import { Sampler } from '../sampling/sampler.ts';
import { createLog } from './logging.ts';
import { keepMemoryLow } from './memory.ts';
import { StatusFile } from './status-file.ts';
import { reportFileTroubles } from './trouble-report.ts';

/** ms that queued records have to leave when the program ends. */
const FLUSH_DEADLINE = 5000;
/** ms that reads under way have to come back when all else has ended. */
const EXIT_DEADLINE = 1000;

/** What a program makes of the samples. */
export interface Consumer {
  /** Collectors that run after the measuring ones. */
  readonly collectors: readonly Collector[];
  /** Is shown each sample before the outputs are. */
  readonly take: (sample: Sample) => void;
  /** Makes the printer of an output. */
  readonly printer: (output: OutputSettings) => Printer;
  /** Called when the last sample is delivered; never rejects. */
  readonly end: () => Promise<void>;
}

/** Samples go out as they are. */
export const streaming: Consumer = {
  collectors: [],
  take: () => undefined,
  printer: ({ printer, print }) => createPrinter(printer, print),
  end: () => Promise.resolve(),
};

/** Who runs, for the log and for those who ask how it fares. */
export interface Invocation {
  readonly program: 'proxtop' | 'proxprofiler';
  readonly env: NodeJS.ProcessEnv;
  /** The file that settings come from. */
  readonly config?: string | undefined;
}

/** Samples and streams until the runs are done or a signal says stop. @returns the exit code */
export async function run(
  settings: Settings,
  invocation: Invocation,
  consumer: Consumer = streaming,
): Promise<ExitCode> {
  const { program, env, config } = invocation;
  const log = createLog(settings.logLevel, env);
  reportFileTroubles(log);
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
  const sampler = new Sampler(paths, connector, [...collectors, ...consumer.collectors], log);

  const stop = new AbortController();
  const outputs: Output[] = [];
  try {
    for (const output of settings.outputs) {
      const printer = consumer.printer(output);
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
  const statusFile = new StatusFile(reportDirectory(env, settings.runDir), { program, config }, outputs, log);
  const { frequency, runs } = settings;
  const emit = (sample: Sample): void => {
    consumer.take(sample);
    for (const output of outputs) output.write(sample);
  };
  await sampleLoop(sampler, connector, { frequency, runs, outputs, emit }, stop.signal, log);
  await Promise.all(outputs.map((output) => output.close(FLUSH_DEADLINE)));
  await statusFile.close();
  await consumer.end();
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
