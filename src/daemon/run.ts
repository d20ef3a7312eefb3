import { isDeepStrictEqual } from 'node:util';
import type { ExitCode } from '../cli/exit-codes.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { version } from '../cli/version.ts';
import { reportDirectory } from '../cli/status/report.ts';
import { ConfigError } from '../config/errors.ts';
import type { Settings } from '../config/settings.ts';
import { OutputSet } from '../delivery/output-set.ts';
import { History } from '../history/history.ts';
import { streaming, type Consumer } from './consumer.ts';
import { Leftovers } from './report/leftovers.ts';
import { createLog } from './logging.ts';
import { keepMemoryLow } from './memory.ts';
import { connectServiceManager } from './notify.ts';
import { Runner } from './runner.ts';
import { Service } from './service.ts';
import { reportShortages } from './report/shortage-report.ts';
import { endInSpiteOfHangingFiles, obeySignals } from './signals.ts';
import { StatusFile } from './report/status-file.ts';
import { reportFileTroubles, reportMissingColumns } from './report/trouble-report.ts';

/** ms that queued records have to leave when the program ends. */
const FLUSH_DEADLINE = 5000;

/** The program, for the log and for status reports. */
export interface Invocation {
  readonly program: 'proxtop' | 'proxprofiler';
  readonly env: NodeJS.ProcessEnv;
  /** The file that settings come from. */
  readonly config?: string | undefined;
  /** Reads the settings again; missing where they cannot change while it runs. @throws ConfigError */
  readonly reread?: () => Settings;
}

/** Samples and streams until the runs are done or a signal says stop. @returns the exit code */
export async function run(
  settings: Settings,
  { program, env, config, reread }: Invocation,
  consumer: Consumer = streaming(),
): Promise<ExitCode> {
  const log = createLog(settings.logLevel, env);
  reportFileTroubles(log);
  reportShortages(log);
  reportMissingColumns(log);
  const stop = new AbortController();
  const outputs = new OutputSet(log, consumer.printer, () => {
    stop.abort();
  });
  const service = new Service(await connectServiceManager(env, log), env, outputs.list);
  const history = new History(log);
  const runner = new Runner(consumer, outputs, history, service, log);
  obeySignals(stop, () => {
    if (reread === undefined) outputs.reopen();
    else reload(runner, service, reread);
  });
  try {
    await runner.begin(settings);
  } catch (error) {
    log.error((error as Error).message);
    await Promise.all([outputs.close(0), consumer.end()]);
    return exitCodes.failure;
  }
  if (consumer.watcher === undefined) keepMemoryLow();
  const directory = reportDirectory(env, settings.runDir);
  const leftovers = new Leftovers(() => runner.running, log);
  const statusFile = new StatusFile(
    directory,
    { program, version, config },
    { outputs: outputs.list, leftovers, history },
    log,
  );
  consumer.begin?.(stop, log);
  consumer.watcher?.begin(stop);
  consumer.others?.begin((sample) => {
    outputs.write(sample);
  });
  await consumer.others?.ready(stop.signal);
  await runner.run(stop.signal);
  await consumer.others?.settled();
  service.stopping();
  await Promise.all([outputs.close(FLUSH_DEADLINE), history.close(FLUSH_DEADLINE)]);
  statusFile.close();
  leftovers.close();
  await consumer.end();
  runner.close();
  endInSpiteOfHangingFiles();
  return stop.signal.aborted && !outputs.failed ? exitCodes.done : endOf(outputs);
}

/** The exit code of a run that came to its end by itself: a script must hear of records that were lost. */
export function endOf({ list, failed }: Pick<OutputSet, 'list' | 'failed'>): ExitCode {
  return failed || list.some(({ status }) => status.dropped > 0) ? exitCodes.failure : exitCodes.done;
}

/** Connections to nodes are made once, and live samples do not become those of a recording. Throws a ConfigError for these. */
function refuseWhatNeedsStart({ watched, replay }: Settings, running: Settings | undefined): void {
  if (replay !== undefined) throw new ConfigError('replay cannot begin on reload; restart proxtop');
  if (isDeepStrictEqual(watched, running?.watched)) return;
  throw new ConfigError('hosts and cluster cannot change on reload; restart proxtop');
}

function reload(runner: Runner, service: Service, reread: () => Settings): void {
  service.reloading();
  let settings: Settings;
  try {
    settings = reread();
    refuseWhatNeedsStart(settings, runner.running);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    runner.refuse(error.message);
    return;
  }
  runner.change(settings);
}
