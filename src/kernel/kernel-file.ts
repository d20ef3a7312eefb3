import { closeSync, openSync, readSync } from 'node:fs';
import type { Trouble } from './errors.ts';
import { troubleOf } from './errors.ts';

const INITIAL_BUFFER = 64 * 1024;
const LARGEST_FILE = 64 * 1024 * 1024;

/** What every read goes into: valid from one read to the next. One for all files, so that it stays in the cache. */
let buffer = Buffer.allocUnsafeSlow(INITIAL_BUFFER);

/**
 * A file of /proc, /sys or the cgroup file system that is opened once and read again and again.
 *
 * Measured: 1.5 us for a re-read of schedstat this way, 14 us with readFileSync. A descriptor below /proc/<pid>
 * belongs to that process for ever: when the process is gone reads fail with ESRCH, even if its pid is used again.
 */
export class KernelFile {
  /** Why the last read gave nothing; undefined while reads succeed. */
  trouble: Trouble | undefined;
  private fd = -1;

  /**
   * @param path the file; opened at the first read
   * @param records whether the kernel hands the file out piece by piece, as it does lists of any length
   *   (net/dev, diskstats), so that reading must go on until it gives nothing more
   */
  constructor(
    readonly path: string,
    private readonly records = false,
  ) {}

  /** The bytes of the last read of any KernelFile; only its first `length` bytes (what {@link read} gave) count. */
  get bytes(): Buffer {
    return buffer;
  }

  /**
   * Reads the file from its start into {@link bytes}.
   * @returns the number of bytes, or -1 when nothing could be read; {@link trouble} then says why. A file that once
   *   could not be opened or read is not tried again before {@link close}.
   */
  read(): number {
    if (this.trouble !== undefined) return -1;
    try {
      if (this.fd < 0) this.fd = openSync(this.path, 'r');
      let length = readSync(this.fd, buffer, 0, buffer.length, 0);
      if (this.records || length === buffer.length) length = this.readOn(length);
      return length;
    } catch (error) {
      this.release();
      this.trouble = troubleOf(error);
      return -1;
    }
  }

  private readOn(first: number): number {
    let length = first;
    for (;;) {
      if (length === buffer.length) {
        if (length >= LARGEST_FILE) throw new RangeError(`${this.path} is larger than ${LARGEST_FILE} bytes`);
        const larger = Buffer.allocUnsafeSlow(2 * length);
        buffer.copy(larger, 0, 0, length);
        buffer = larger;
      }
      const more = readSync(this.fd, buffer, length, buffer.length - length, length);
      if (more === 0) return length;
      length += more;
    }
  }

  /** Reads the file as text without surrounding blanks; undefined when nothing could be read. */
  text(): string | undefined {
    const length = this.read();
    return length < 0 ? undefined : buffer.toString('utf8', 0, length).trim();
  }

  /** Gives the descriptor back; the next read opens the file anew. */
  close(): void {
    this.release();
    this.trouble = undefined;
  }

  private release(): void {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
  }
}

/** Reads a file once, as text without surrounding blanks; undefined when it cannot be read. */
export function readOnce(path: string): string | undefined {
  const file = new KernelFile(path);
  const text = file.text();
  file.close();
  return text;
}
