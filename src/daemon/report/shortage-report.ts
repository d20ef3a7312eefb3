import { subscribe } from 'node:diagnostics_channel';
import type { Logger } from 'pino';
import { KernelFile } from '../../kernel/base/kernel-file.ts';
import type { Shortage } from '../../kernel/base/open-files.ts';
import { shortages } from '../../kernel/base/open-files.ts';
import { defaultRoots, Paths } from '../../kernel/base/paths.ts';
import { openFilesLimit } from '../../kernel/pid/proc-pid-limits.ts';

/** ms without a shortage after which it is over: everything is tried again by then. */
const CALM = 60_000;

/**
 * Logs when files cannot be opened because there are no descriptors left, with the limit, and when they can be opened
 * again; each once, however many files it is about. @param calm ms without a shortage after which it is over
 */
export function reportShortages(log: Logger, calm: number = CALM): void {
  // Opened now: when it is needed there is no descriptor for it.
  const limits = new KernelFile(new Paths(defaultRoots).proc('self/limits'));
  limits.read();
  let over: NodeJS.Timeout | undefined;
  subscribe(shortages.name, (message) => {
    if (over !== undefined) {
      over.refresh();
      return;
    }
    over = setTimeout(() => {
      over = undefined;
      log.info('files can be opened again');
    }, calm).unref();
    const reason = reasonOf(message as Shortage, limits);
    log.warn(`too many open files (${reason}): values are omitted until files can be opened again`);
  });
}

function reasonOf(shortage: Shortage, limits: KernelFile): string {
  if (shortage === 'host') return 'on this host as a whole, see fs.file-max';
  const limit = openFilesLimit(limits.text() ?? '');
  return limit === undefined ? 'LimitNOFILE' : `LimitNOFILE=${limit}`;
}
