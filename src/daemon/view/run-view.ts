import type { ExitCode } from '../../cli/exit-codes.ts';
import type { Settings } from '../../config/settings.ts';
import { collectorNames } from '../../catalogue/catalogue.ts';
import type { ClusterSample } from '../../cluster/cluster-sample.ts';
import { Attention } from '../../guests/attention.ts';
import { spaced } from '../../base/pacing/spaced.ts';
import { Pace } from '../../sampling/pace.ts';
import type { Sample } from '../../sampling/sample.ts';
import { Past } from '../../tui/moments/past.ts';
import { RecentSamples } from '../../tui/moments/recent-samples.ts';
import { ClusterSource } from '../../tui/sources/cluster-source.ts';
import { openHistory } from './open-history.ts';
import { LiveSource } from '../../tui/sources/live-source.ts';
import type { Source } from '../../tui/sources/source.ts';
import { streaming } from '../consumer.ts';
import { run } from '../run.ts';
import { openNodes } from '../cluster/nodes.ts';
import { selectingOutputs, watching } from '../cluster/watching.ts';
import { letMemoryGrow } from '../memory.ts';
import { createLog, divertLog, restoreLog } from '../logging.ts';
import { openView } from './view.ts';

/** Shows the samples in the terminal view, beside the outputs, until the user quits. @returns the exit code */
export async function runView(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  config: string | undefined,
): Promise<ExitCode> {
  const pace = new Pace(settings.frequency);
  const attention = new Attention();
  let view: ReturnType<typeof openView> | undefined;
  const attend = spaced(() => {
    view?.attend();
  });
  const past = new Past(() => openHistory(settings), new RecentSamples(undefined, attend));
  let live: LiveSource | undefined;
  let cluster: ClusterSource | undefined;
  let stopped: AbortController | undefined;
  const stream = streaming();
  const follow = (guests: ReadonlySet<string>, expanded: ReadonlySet<string>): void => {
    attention.watch(guests, expanded);
  };
  // What is logged before the view opens would be hidden behind it.
  let early: string | undefined;
  divertLog((line) => {
    early = line;
  });
  try {
    const nodes =
      settings.watched === undefined
        ? undefined
        : await openNodes(settings, createLog(settings.logLevel, env), follow);
    if (nodes !== undefined) letMemoryGrow();
    const consumer = {
      ...stream,
      // The runs may be done without a stop.
      end: () => {
        stopped?.abort();
        return Promise.resolve();
      },
      watcher: {
        pace,
        attend,
        attention,
        begin: (stop: AbortController) => {
          stopped = stop;
          const open = (source: Source): void => {
            view = openView(source, settings.thresholds, env, stop.signal);
          };
          if (nodes === undefined) open((live = new LiveSource(pace, attention, stop, past, attend)));
          else open((cluster = new ClusterSource(settings.frequency, follow, nodes.placement, stop)));
        },
      },
    };
    const ofNodes = (sample: ClusterSample): void => {
      if (cluster !== undefined) view?.show(cluster.take(sample));
      if (early !== undefined) view?.tell(early);
      early = undefined;
    };
    const ofThisHost = (sample: Sample, isWanted: boolean): Sample => {
      if (live !== undefined) view?.show(live.take(sample));
      // The moment that is shown has verdicts of its own.
      return isWanted ? stream.take(sample, isWanted) : sample;
    };
    return await run(
      forView(settings),
      { program: 'proxtop', env, config },
      nodes === undefined ? { ...consumer, take: ofThisHost } : watching(consumer, nodes, settings, ofNodes),
    );
  } finally {
    // A view that was opened restores it when it closes.
    if (view === undefined) restoreLog();
  }
}

/** A view shows everything; the outputs beside it get what they would without it. */
function forView(settings: Settings): Settings {
  return { ...selectingOutputs(settings), collectors: collectorNames };
}
