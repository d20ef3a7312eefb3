import type { Thresholds } from '../../config/thresholds.ts';
import { capabilities } from '../../tui/screen/terminal.ts';
import { preferencesPath } from '../../tui/preferences-file.ts';
import type { Source } from '../../tui/sources/source.ts';
import { TerminalView } from '../../tui/view.ts';
import { divertLog, restoreLog } from '../logging.ts';

/**
 * Opens the terminal view on a source, until the source is stopped. The log is shown in it meanwhile.
 *
 * @param stop gives the terminal back when it is aborted
 */
export function openView(
  source: Source,
  thresholds: Thresholds,
  env: NodeJS.ProcessEnv,
  stop: AbortSignal,
): Pick<TerminalView, 'show' | 'attend' | 'tell'> {
  const view = new TerminalView(source, thresholds, capabilities(env), preferencesPath(env));
  divertLog((text) => {
    view.tell(text);
  });
  view.open();
  stop.addEventListener('abort', () => {
    void view.close().then(restoreLog);
  });
  return view;
}
