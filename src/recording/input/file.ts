import { createWriteStream } from 'node:fs';
import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RecordingError } from '../errors.ts';
import { gunzipped } from './gunzip.ts';

const CHUNK = 1 << 20;
const MIB = 1 << 20;
/** Stands for standard input. */
export const standardInput = '-';
/** The first bytes of what gzip (RFC 1952) compressed. */
const GZIP = Buffer.from([0x1f, 0x8b]);

const troubles: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'no permission to read it',
  EISDIR: 'it is a directory',
};

/** Bytes from their beginning to their end. */
interface Source {
  readonly chunks: AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/**
 * What a file, a pipe or standard input (`-`) holds, uncompressed where it is compressed. @throws RecordingError
 */
export async function openSource(path: string): Promise<Source> {
  if (path === standardInput) return fromStandardInput();
  const file = await openFile(path);
  return { chunks: uncompressed(path, chunksOf(file)), close: () => file.close() };
}

function fromStandardInput(): Source {
  const { stdin } = process;
  if (stdin.isTTY) throw new RecordingError('-: standard input is a terminal, expected samples from a pipe');
  return {
    chunks: uncompressed(standardInput, stdin as AsyncIterable<Buffer>),
    close: () => {
      stdin.destroy();
      return Promise.resolve();
    },
  };
}

/** Opens a file or a pipe for reading; waits for a writer of a pipe. @throws RecordingError */
async function openFile(path: string): Promise<FileHandle> {
  try {
    const file = await open(path);
    if (!(await file.stat()).isDirectory()) return file;
    await file.close();
  } catch (error) {
    throw openTrouble(path, error);
  }
  throw new RecordingError(`${path}: cannot read it: ${troubles['EISDIR'] ?? ''}`);
}

/** Why a file or directory cannot be read, for people. */
export function openTrouble(path: string, error: unknown): RecordingError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new RecordingError(`${path}: cannot read it: ${troubles[code] ?? message}`);
}

/** The bytes of a file or a pipe as they are, in pieces; of a file from its beginning, if it was not read before. */
export async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** The bytes as they were before gzip, where it compressed them; see {@link gunzipped} for what is damaged. */
async function* uncompressed(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const rest = chunks[Symbol.asyncIterator]();
  let first: Buffer = Buffer.alloc(0);
  while (first.length < GZIP.length) {
    const next = await rest.next();
    if (next.done === true) break;
    first = first.length === 0 ? next.value : Buffer.concat([first, next.value]);
  }
  const all = prepended(first, rest);
  yield* first.subarray(0, GZIP.length).equals(GZIP) ? gunzipped(path, all) : all;
}

async function* prepended(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* { [Symbol.asyncIterator]: () => rest };
}

/**
 * A file that can be read at any place: itself, or of what is compressed or a pipe a copy in the directory for temporary
 * files, which has no name and is gone when it is closed. @throws RecordingError, also where the copy would take more than
 * half of what is free there
 */
export async function openSeekable(path: string): Promise<FileHandle> {
  if (path !== standardInput) {
    const file = await openFile(path);
    if (await isPlain(file)) return file;
    await file.close();
  }
  const source = await openSource(path);
  const directory = await mkdtemp(join(tmpdir(), 'proxtop-replay-'));
  try {
    const copy = join(directory, 'uncompressed');
    await pipeline(await halfOfFree(path, source.chunks), createWriteStream(copy));
    return await open(copy);
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    throw new RecordingError(`${path}: cannot uncompress it: ${(error as Error).message}`);
  } finally {
    await source.close();
    await rm(directory, { recursive: true });
  }
}

/** Whether a file can be read at any place and is not compressed. */
async function isPlain(file: FileHandle): Promise<boolean> {
  if (!(await file.stat()).isFile()) return false;
  const { buffer } = await file.read(Buffer.alloc(GZIP.length), 0, GZIP.length, 0);
  return !buffer.equals(GZIP);
}

/** The same bytes, as long as they take no more than half of what is free for temporary files. */
async function halfOfFree(path: string, chunks: AsyncIterable<Buffer>): Promise<AsyncIterable<Buffer>> {
  const { bavail, bsize } = await statfs(tmpdir());
  const limit = (bavail * bsize) / 2;
  return (async function* () {
    let size = 0;
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > limit) {
        throw new RecordingError(
          `${path}: uncompressed it takes more than ${Math.floor(limit / MIB)} MiB, half of what is free in ${tmpdir()}: ` +
            'set TMPDIR to a directory with more space',
        );
      }
      yield chunk;
    }
  })();
}
