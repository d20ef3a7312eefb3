import type { ExitCode } from '../../cli/exit-codes.ts';
import type { Settings } from '../../config/settings.ts';
import { streaming } from '../consumer.ts';
import { createLog } from '../logging.ts';
import { run } from '../run.ts';
import type { Invocation } from '../run.ts';
import { openNodes } from './nodes.ts';
import { selectingOutputs, watching } from './watching.ts';

/** Samples and streams several nodes until the runs are done or a signal says stop. @returns the exit code */
export async function runCluster(settings: Settings, invocation: Invocation): Promise<ExitCode> {
  const log = createLog(settings.logLevel, invocation.env);
  const nodes = await openNodes(settings, log, () => undefined);
  const { reread } = invocation;
  return run(
    selectingOutputs(settings),
    { ...invocation, ...(reread && { reread: () => selectingOutputs(reread()) }) },
    watching(streaming(), nodes, settings),
  );
}
