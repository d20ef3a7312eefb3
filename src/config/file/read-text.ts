import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { ConfigError } from '../errors.ts';

const troubles: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  ENXIO: 'it is a socket or a missing device',
};

/** More than any configuration: what is longer is something else, such as /dev/zero. */
const mostBytes = 16 << 20;
/** ms in which a pipe must have said something, and its end. */
const patience = 5000;
const pause = 10;

/** Reads a text file as UTF-8; a byte order mark is left out. Throws a ConfigError that says what is wrong with it. */
export function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readBytes(path);
  } catch (error) {
    throw new ConfigError(`${path}: cannot read the configuration file: ${reason(path, error as Error)}`);
  }
  if (/^(?:fffe|feff)/.test(bytes.toString('hex', 0, 2)))
    throw new ConfigError(`${path}: expected UTF-8, found UTF-16; save it as UTF-8`);
  const line = oddLine(bytes);
  if (line !== undefined)
    throw new ConfigError(`${path}:${line}: this line is not UTF-8; save the file as UTF-8`);
  return new TextDecoder().decode(bytes);
}

/** Never waits for ever, as an open of a pipe would that nobody writes to. */
function readBytes(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const isPipe = fstatSync(file).isFIFO();
    const deadline = performance.now() + patience;
    const chunks: Buffer[] = [];
    let length = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(1 << 16);
      const count = readNow(file, chunk);
      if (count === 0 && !(isPipe && length === 0)) return Buffer.concat(chunks);
      if (count > 0) {
        chunks.push(chunk.subarray(0, count));
        length += count;
        if (length > mostBytes) throw new Error(`it is larger than ${mostBytes} bytes`);
      } else {
        if (performance.now() > deadline)
          throw new Error(`the writer did not close it within ${patience / 1000} s`);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
      }
    }
  } finally {
    closeSync(file);
  }
}

/** Bytes that were read; 0 at the end, -1 where there are none yet. */
function readNow(file: number, chunk: Buffer): number {
  try {
    return readSync(file, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return -1;
    throw error;
  }
}

/** The number of the first line that no UTF-8 text has; undefined where there is none. */
function oddLine(bytes: Buffer): number | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    if (!decoder.decode(bytes).includes('\0')) return undefined;
  } catch {
    // Which line it is has yet to be found.
  }
  const lines = bytes.toString('latin1').split('\n');
  const index = lines.findIndex((line) => {
    try {
      return decoder.decode(Buffer.from(line, 'latin1')).includes('\0');
    } catch {
      return true;
    }
  });
  return index + 1;
}

function reason(path: string, error: NodeJS.ErrnoException): string {
  const { code = '', message } = error;
  if (code !== 'EACCES' && code !== 'EPERM') return troubles[code] ?? message;
  return `no permission to read it${process.geteuid?.() === 0 ? '' : `; ${isRoots(path) ? "it is root's: " : ''}try sudo`}`;
}

function isRoots(path: string): boolean {
  try {
    return statSync(path).uid === 0;
  } catch {
    return false;
  }
}
