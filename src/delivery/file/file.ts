import { ftruncate, fstatSync, readSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import type { Tap } from '../ledger/tap.ts';
import type { FileSettings } from '../settings.ts';
import { reasonOf } from '../shared/outage.ts';
import { FileWriter, type AppendFile } from './file-writer.ts';
import { endOfWholeValues } from './msgpack-end.ts';
import { openToAppend } from '../shared/own-files.ts';
import { Rotation } from './rotation.ts';

const truncate = promisify(ftruncate);
const mode = 0o640;

/**
 * Appends records to a file, which it creates when need be; its directory must exist. With a rotation, a file that
 * reached its size is put aside and compressed.
 */
export class FileDestination extends FileWriter {
  private readonly rotation: Rotation | undefined;
  private readonly limit: number;
  /** What has the path, or had it when we looked last. */
  private current: AppendFile;

  /**
   * @param onNewFile called when what is sent from now on goes to a new file
   * @throws Error that names the path and the reason when the file cannot be opened for writing
   */
  constructor(
    private readonly settings: FileSettings,
    tap: Tap,
    log: Logger,
    private readonly onNewFile: () => void = () => undefined,
  ) {
    const file = open(settings, true);
    super(file, tap, log, file.special ? undefined : () => this.openCurrent());
    this.current = file;
    const { path, rotation } = settings;
    this.limit = rotation?.size ?? Infinity;
    this.rotation = rotation && new Rotation(path, rotation.keep, log);
  }

  override wake(): void {
    super.wake();
    if (this.rotation === undefined || this.current.size + this.waiting < this.limit) return;
    if (this.rotation.putAside(this.current)) this.reopen();
  }

  /**
   * What was sent before goes to the file that was open, what is sent from now on to the one that has the path now.
   * When that cannot be opened, the old one stays in use and the log tells why.
   */
  override reopen(): void {
    try {
      this.switchTo(this.openCurrent());
    } catch (error) {
      this.log.error(`${reasonOf(error as Error)}; still writing to the file opened before`);
    }
  }

  override async close(deadline: number): Promise<void> {
    await super.close(deadline);
    this.rotation?.stop();
  }

  private openCurrent(): AppendFile {
    this.current = open(this.settings, false);
    this.onNewFile();
    return this.current;
  }
}

/** @param first whether nothing of ours is on its way to the file, as may be when it is opened anew */
function open({ path, printer }: FileSettings, first: boolean): AppendFile & { readonly special: boolean } {
  try {
    const fd = openToAppend(path, mode);
    const stat = fstatSync(fd);
    const { size } = stat;
    const msgpack = printer === 'msgpack';
    if (msgpack && first) refuseOtherThanMaps(fd);
    const prepared = msgpack && first ? endTornMap(fd, size) : undefined;
    // Whoever writes first is told.
    prepared?.catch(() => undefined);
    return {
      fd,
      path,
      size,
      special: !stat.isFile(),
      torn: !msgpack && isTorn(fd, size),
      ...(prepared !== undefined && { prepared }),
    };
  } catch (error) {
    throw new Error(`cannot open ${path} for writing: ${reasonOf(error as Error)}`, { cause: error });
  }
}

/** Whether the last line has no end: the program, or the machine, ended while it was written. */
function isTorn(fd: number, size: number): boolean {
  const last = Buffer.alloc(1);
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last.toString() !== '\n';
}

/** @throws Error for a file that holds something else, which is not ours to cut */
function refuseOtherThanMaps(fd: number): void {
  const first = Buffer.alloc(1);
  if (readSync(fd, first, 0, 1, 0) === 0) return;
  if (!holdsMsgpack(first[0])) throw new Error('it contains something other than msgpack');
}

/** A reader passes over a torn line, but not over a torn map: what is left of one goes. In the background, as it takes long. */
async function endTornMap(fd: number, size: number): Promise<void> {
  const end = await endOfWholeValues(fd, size);
  if (end < size) await truncate(fd, end);
}

/** Whether a file begins as one of ours in msgpack does, with a map. @param first byte; undefined of an empty file */
export function holdsMsgpack(first = 0x80): boolean {
  return (first >= 0x80 && first < 0x90) || first === 0xde || first === 0xdf;
}
