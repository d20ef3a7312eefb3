import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Logger } from 'pino';
import type { Destination } from '../destination.ts';
import type { Tap } from '../ledger/tap.ts';
import { AppendFile } from './append-file.ts';
import { FileWriter } from './file-writer.ts';
import { StreamDestination } from './stream.ts';

const fd = 1;

/**
 * Writes records to standard output.
 *
 * A pipe or socket is written through Node's stream, which does not block on them: a slow reader fills the queue. On a
 * terminal that stream does block; a terminal that its user has stopped stops the program. That is intended, because nobody
 * wants to see the backlog afterwards. A file, where Node's stream would block on the disk and lose the rest of a partial
 * write, is written like any other file.
 *
 * @param onClosed called once when the reader is gone; the program then has nothing to do any more
 */
export function stdoutDestination(tap: Tap, log: Logger, onClosed: () => void): Destination {
  const stat = fstatSync(fd);
  if (stat.isFIFO() || stat.isSocket() || isatty(fd))
    return new StreamDestination(process.stdout, tap, onClosed);
  const open = (): Promise<number> => Promise.resolve(fd);
  return new FileWriter(new AppendFile({ path: 'standard output', named: false, open }), tap, log);
}
