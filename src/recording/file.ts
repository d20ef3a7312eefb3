import { createWriteStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { RecordingError } from './errors.ts';

const CHUNK = 1 << 20;

const troubles: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'no permission to read it',
  EISDIR: 'it is a directory',
};

/** Opens a file for reading. @throws RecordingError */
export async function openFile(path: string): Promise<FileHandle> {
  try {
    const file = await open(path);
    if (!(await file.stat()).isDirectory()) return file;
    await file.close();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new RecordingError(`${path}: cannot read it: ${troubles[code] ?? message}`);
  }
  throw new RecordingError(`${path}: cannot read it: ${troubles['EISDIR'] ?? ''}`);
}

/** The bytes of a file from its beginning, in pieces. */
export async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (let at = 0; ;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** Whether gzip (RFC 1952) compressed a file. */
export async function isCompressed(file: FileHandle): Promise<boolean> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer.readUInt16BE() === 0x1f8b;
}

/** The uncompressed bytes of a compressed file. One that ends too early yields what there is. */
export async function* inflated(file: FileHandle): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  const feeding = pipeline(chunksOf(file), gunzip).catch(() => undefined);
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    // zlib's word for a file that was torn off, which is no more than a torn record.
    if ((error as NodeJS.ErrnoException).code !== 'Z_BUF_ERROR') throw error;
  }
  await feeding;
}

/**
 * A file that can be read at any place: itself, or of a compressed one a copy that is nowhere to be seen and gone when
 * it is closed. @throws RecordingError
 */
export async function openSeekable(path: string): Promise<FileHandle> {
  const file = await openFile(path);
  try {
    if (!(await isCompressed(file))) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  const directory = await mkdtemp(join(tmpdir(), 'proxtop-replay-'));
  try {
    const copy = join(directory, 'uncompressed');
    await pipeline(inflated(file), createWriteStream(copy));
    return await open(copy);
  } catch (error) {
    throw new RecordingError(`${path}: cannot uncompress it: ${(error as Error).message}`);
  } finally {
    await file.close();
    await rm(directory, { recursive: true });
  }
}
