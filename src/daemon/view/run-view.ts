import type { ExitCode } from '../../cli/exit-codes.ts';
import type { Settings } from '../../config/settings.ts';
import { collectorNames } from '../../catalogue/catalogue.ts';
import { Attention } from '../../guests/attention.ts';
import { Pace } from '../../sampling/pace.ts';
import { Past } from '../../tui/moments/past.ts';
import { openHistory } from './open-history.ts';
import { LiveSource } from '../../tui/sources/live-source.ts';
import { streaming } from '../consumer.ts';
import { run } from '../run.ts';
import { openView } from './view.ts';

/** Shows what is sampled in the terminal view, beside the outputs, until its user has seen enough. @returns the exit code */
export async function runView(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  config: string | undefined,
): Promise<ExitCode> {
  const pace = new Pace(settings.frequency);
  const attention = new Attention();
  const past = new Past(() => openHistory(settings));
  let view: ReturnType<typeof openView> | undefined;
  let source: LiveSource | undefined;
  let stopped: AbortController | undefined;
  const stream = streaming();
  return run(
    forView(settings),
    { program: 'proxtop', env, config },
    {
      ...stream,
      take: (sample) => {
        if (source !== undefined) view?.show(source.take(sample));
        return stream.take(sample);
      },
      // The runs may be done without a stop.
      end: () => {
        stopped?.abort();
        return Promise.resolve();
      },
      watcher: {
        pace,
        attend: () => {
          view?.attend();
        },
        attention,
        begin: (stop) => {
          stopped = stop;
          source = new LiveSource(pace, attention, stop, past);
          view = openView(source, settings.thresholds, env, stop.signal);
        },
      },
    },
  );
}

/** A view shows everything; the outputs beside it get what they would without it. */
function forView(settings: Settings): Settings {
  const outputs = settings.outputs.map((output) => ({
    ...output,
    select: { ...output.select, collectors: output.select?.collectors ?? settings.collectors },
  }));
  return { ...settings, collectors: collectorNames, outputs };
}
