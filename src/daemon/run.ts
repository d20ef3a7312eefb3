import { createCollectors } from '../collectors/index.ts';
import type { ExitCode } from '../cli/exit-codes.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import type { Settings } from '../config/settings.ts';
import { AwaitedConnector, detectConnector, lookedFor } from '../connectors/detect.ts';
import { Paths } from '../kernel/paths.ts';
import { createOutput } from '../outputs/index.ts';
import type { Output } from '../outputs/output.ts';
import { createPrinter } from '../printers/index.ts';
import type { OutputTotals } from '../sampling/agent.ts';
import { sampleLoop } from '../sampling/loop.ts';
import type { Sample } from '../sampling/sample.ts';
import { Sampler } from '../sampling/sampler.ts';
import { createLog } from './logging.ts';
import { reportFileTroubles } from './trouble-report.ts';

/** ms that queued records have to leave when the program ends. */
const FLUSH_DEADLINE = 5000;

/** Samples and streams until the runs are done or a signal says stop. @returns the exit code */
export async function run(settings: Settings, env: NodeJS.ProcessEnv): Promise<ExitCode> {
  const log = createLog(settings.logLevel, env);
  reportFileTroubles(log);
  const paths = new Paths(settings.roots);
  const beat = { detailInterval: settings.detailInterval, frequency: settings.frequency };
  const detect = () => detectConnector(paths, beat, log);
  const found = detect();
  if (found === undefined) {
    const missing = `no hypervisor found: looked for ${lookedFor(paths)}`;
    if (process.stderr.isTTY) {
      log.error(missing);
      return exitCodes.failure;
    }
    log.warn(`${missing}; the host is measured, and it is looked again every 30 s`);
  }
  const connector = found ?? new AwaitedConnector(detect);
  const wanted = {
    verbose: settings.outputs.some(({ print }) => print.verbose),
    devices: settings.outputs.some(({ print }) => print.devices),
  };
  const { netdev, storedev } = settings;
  const collectors = createCollectors(settings.collectors, paths, { wanted, netdev, storedev });
  const sampler = new Sampler(paths, connector, collectors, log);

  const stop = new AbortController();
  let outputs: readonly Output[] = [];
  try {
    outputs = settings.outputs.map((output) =>
      createOutput(output, createPrinter(output.printer, output.print), log, () => {
        stop.abort();
      }),
    );
  } catch (error) {
    log.error((error as Error).message);
    return exitCodes.failure;
  }
  obeySignals(stop, outputs);
  const { frequency, runs } = settings;
  const emit = (sample: Sample): void => {
    for (const output of outputs) output.write(sample);
  };
  await sampleLoop(
    sampler,
    connector,
    { frequency, runs, outputs: () => totals(outputs), emit },
    stop.signal,
    log,
  );
  await Promise.all(outputs.map((output) => output.close(FLUSH_DEADLINE)));
  sampler.close();
  return exitCodes.done;
}

function totals(outputs: readonly Output[]): OutputTotals {
  const sum = { queued: 0, queuedBytes: 0, sent: 0, dropped: 0, reconnects: 0 };
  for (const { status } of outputs) {
    sum.queued += status.queued;
    sum.queuedBytes += status.queuedBytes;
    sum.sent += status.sent;
    sum.dropped += status.dropped;
    sum.reconnects += status.reconnects;
  }
  return sum;
}

/** The first SIGINT or SIGTERM ends the sampling and delivers what is queued; a second one ends the program at once. */
function obeySignals(stop: AbortController, outputs: readonly Output[]): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(exitCodes.failure);
      stop.abort();
    });
  }
  process.on('SIGHUP', () => {
    for (const output of outputs) output.reopen();
  });
}
