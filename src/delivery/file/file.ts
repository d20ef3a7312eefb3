import { ftruncate, read } from 'node:fs';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import type { Tap } from '../ledger/tap.ts';
import type { FileSettings } from '../settings.ts';
import { reasonOf } from '../shared/outage.ts';
import { openToAppend } from '../shared/own-files.ts';
import { AppendFile } from './append-file.ts';
import { FileWriter } from './file-writer.ts';
import { endOfWholeValues } from './msgpack-end.ts';
import { Rotation } from './rotation.ts';

const truncate = promisify(ftruncate);
const readAt = promisify(read);
const mode = 0o640;

/**
 * Appends records to a file, which it creates when need be; its directory must exist. With a rotation, a file that
 * reached its size is put aside and compressed.
 */
export class FileDestination extends FileWriter {
  private readonly rotation: Rotation | undefined;
  private readonly limit: number;

  /** @param onNewFile called when what is sent from now on goes to a new file */
  constructor(
    private readonly settings: FileSettings,
    tap: Tap,
    log: Logger,
    private readonly onNewFile: () => void = () => undefined,
  ) {
    super(fileOf(settings), tap, log, () => this.another());
    const { path, rotation } = settings;
    this.limit = rotation?.size ?? Infinity;
    this.rotation = rotation && new Rotation(path, rotation.keep, log);
  }

  override wake(): void {
    super.wake();
    const { rotation, newest } = this;
    if (rotation === undefined || newest.size + this.waiting < this.limit || !rotation.free) return;
    // New records belong to the next file, which is opened when the last record of this one is written.
    this.switchTo(this.another(rotation.want(newest)));
  }

  /** Records sent before go to the file that was open, later ones to the file at the path. */
  override reopen(): void {
    const file = this.another();
    // At once, not when the last write is done. The first writer is told.
    file.open().catch(() => undefined);
    this.switchTo(file);
  }

  override async close(deadline: number): Promise<void> {
    await super.close(deadline);
    this.rotation?.stop();
  }

  /** @param before to be done before it is opened */
  private another(before?: () => Promise<void>): AppendFile {
    this.onNewFile();
    return fileOf(this.settings, before);
  }
}

function fileOf({ path, printer }: FileSettings, before?: () => Promise<void>): AppendFile {
  const msgpack = printer === 'msgpack';
  const open = async (): Promise<number> => {
    await before?.();
    try {
      const fd = await openToAppend(path, mode);
      if (msgpack) await refuseOtherThanMaps(fd);
      return fd;
    } catch (error) {
      throw new Error(`cannot open ${path} for writing: ${reasonOf(error as Error)}`, { cause: error });
    }
  };
  return new AppendFile({ path, named: true, open, mend: msgpack ? endTornMap : isTorn });
}

/** Whether the last line has no end: the program, or the machine, ended while it was written. */
async function isTorn(fd: number, size: number): Promise<{ size: number; torn: boolean }> {
  if (size === 0) return { size, torn: false };
  const { buffer } = await readAt(fd, Buffer.alloc(1), 0, 1, size - 1);
  return { size, torn: buffer.toString() !== '\n' };
}

/** @throws Error for a file with other content, which must not be cut */
async function refuseOtherThanMaps(fd: number): Promise<void> {
  const { buffer, bytesRead } = await readAt(fd, Buffer.alloc(1), 0, 1, 0);
  if (bytesRead > 0 && !holdsMsgpack(buffer[0])) throw new Error('it contains something other than msgpack');
}

/** A reader skips a torn line, but not a torn map, so the rest of one is cut. */
async function endTornMap(fd: number, size: number): Promise<{ size: number; torn: boolean }> {
  const end = await endOfWholeValues(fd, size);
  if (end < size) await truncate(fd, end);
  return { size: end, torn: false };
}

/** Whether a file begins as one of ours in msgpack does, with a map. @param first byte; undefined of an empty file */
export function holdsMsgpack(first = 0x80): boolean {
  return (first >= 0x80 && first < 0x90) || first === 0xde || first === 0xdf;
}
