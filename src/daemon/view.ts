import type { Thresholds } from '../config/thresholds.ts';
import { capabilities } from '../tui/screen/terminal.ts';
import { settingsPath } from '../tui/settings-file.ts';
import type { Source } from '../tui/source.ts';
import { TerminalView } from '../tui/view.ts';
import type { LogStream } from './logging.ts';

/** A terminal view that is shown. */
export type OpenedView = Pick<TerminalView, 'update' | 'close'>;

/** Opens the terminal view on a source. The log is shown in it until it is closed. */
export function openView(
  source: Source,
  thresholds: Thresholds,
  log: LogStream,
  env: NodeJS.ProcessEnv,
): OpenedView {
  const view = new TerminalView(source, thresholds, capabilities(env), settingsPath(env));
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
