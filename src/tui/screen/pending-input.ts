import { closeSync, constants, openSync, readSync } from 'node:fs';
import { defaultRoots, Paths } from '../../kernel/base/paths.ts';

/** Standard input, whatever terminal it is: opened by this path it is a descriptor of our own, with flags of its own. */
const STDIN = new Paths(defaultRoots).proc('self/fd/0');

/**
 * What was typed and not read yet. Node hands keys over only when the event loop turns; this reads them at once, and the
 * event loop gets what comes later.
 */
export class PendingInput {
  private readonly buffer = Buffer.alloc(1024);
  private fd: number | undefined;

  /** Opens the terminal of standard input. Where that is not allowed, as after su, {@link take} finds nothing. */
  constructor() {
    try {
      this.fd = openSync(STDIN, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {
      this.fd = undefined;
    }
  }

  /** Takes what is there, without waiting; empty if there is nothing. Valid until the next call. */
  take(): Uint8Array {
    if (this.fd === undefined) return this.buffer.subarray(0, 0);
    try {
      return this.buffer.subarray(0, readSync(this.fd, this.buffer));
    } catch {
      // Nothing there (EAGAIN), or the terminal is gone, which standard input reports.
      return this.buffer.subarray(0, 0);
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    // The number may soon be that of another file.
    this.fd = undefined;
  }
}
