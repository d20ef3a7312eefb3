import type { Pace } from '../sampling/pace.ts';
import { capabilities } from '../tui/screen/terminal.ts';
import { settingsPath } from '../tui/settings-file.ts';
import type { Source } from '../tui/source.ts';
import { TerminalView } from '../tui/view.ts';
import type { LogStream } from './logging.ts';

/** Seconds between two samples that the keys + and - choose among. */
const intervals = [0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 15, 20, 30, 60, 300];

/** The samples of this host, as they are taken. */
class Live implements Source {
  readonly note = '';

  constructor(
    readonly pace: Pace,
    readonly stop: AbortController,
  ) {}

  get interval(): number {
    return this.pace.frequency;
  }

  changeInterval(by: -1 | 1): void {
    const { frequency } = this.pace;
    const next =
      by === 1 ? intervals.find((each) => each > frequency) : intervals.findLast((each) => each < frequency);
    if (next !== undefined) this.pace.frequency = next;
  }

  refresh(): void {
    this.pace.sampleNow();
  }

  quit(): void {
    this.stop.abort();
  }
}

/** Opens the terminal view on the samples of a loop. The log is shown in it until it is closed. */
export function openLiveView(
  pace: Pace,
  stop: AbortController,
  log: LogStream,
  env: NodeJS.ProcessEnv,
): Pick<TerminalView, 'update' | 'close'> {
  const view = new TerminalView(new Live(pace, stop), () => 'ok', capabilities(env), settingsPath(env));
  log.divert((text) => {
    view.tell(text.trimEnd());
  });
  view.open();
  return {
    update: (sample) => {
      view.update(sample);
    },
    close: () => {
      view.close();
      log.restore();
    },
  };
}
