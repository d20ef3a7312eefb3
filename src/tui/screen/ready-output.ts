import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { defaultRoots, Paths } from '../../kernel/base/paths.ts';

/** Standard output, whatever terminal it is: opened by this path it is a descriptor of our own, with flags of its own. */
const STDOUT = new Paths(defaultRoots).proc('self/fd/1');

/**
 * Writes to the terminal at once what it takes without making us wait. Node writes on another thread and hears of the end only when
 * the event loop turns: until then a second key could not show its effect.
 */
export class ReadyOutput {
  private fd: number | undefined;

  /** Opens the terminal of standard output. Where that is not allowed, as after su, {@link write} writes nothing. */
  constructor() {
    try {
      this.fd = openSync(STDOUT, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {
      this.fd = undefined;
    }
  }

  /** @returns how many bytes were taken; 0 also where writing fails, which standard output tells */
  write(bytes: Uint8Array): number {
    if (this.fd === undefined) return 0;
    try {
      return writeSync(this.fd, bytes);
    } catch {
      return 0;
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    // The number may soon be that of another file.
    this.fd = undefined;
  }
}
