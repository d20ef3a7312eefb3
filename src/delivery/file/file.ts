import { fstatSync, ftruncateSync, readSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Heir } from '../destination.ts';
import { FileWriter, type AppendFile } from './file-writer.ts';
import { endOfWholeValues } from './msgpack-end.ts';
import { reasonOf } from '../shared/outage.ts';
import { openToAppend } from '../shared/own-files.ts';
import { Rotation } from './rotation.ts';
import type { FileSettings } from '../settings.ts';

const mode = 0o640;

/**
 * Appends records to a file, which it creates when need be; its directory must exist. With a rotation, a file that
 * reached its size is put aside and compressed.
 */
export class FileDestination extends FileWriter {
  private readonly rotation: Rotation | undefined;
  private readonly limit: number;
  /** Bytes of the file that has the path, with what is on its way there. */
  private size: number;
  private current: AppendFile;

  /**
   * @param onNewFile called when what is sent from now on goes to a new file
   * @throws Error that names the path and the reason when the file cannot be opened for writing
   */
  constructor(
    private readonly settings: FileSettings,
    log: Logger,
    private readonly onNewFile: () => void = () => undefined,
  ) {
    const file = open(settings, true);
    super(file, settings.queue, log);
    this.current = file;
    this.size = fstatSync(file.fd).size;
    const { path, rotation } = settings;
    this.limit = rotation?.size ?? Infinity;
    this.rotation = rotation && new Rotation(path, rotation.keep, log);
  }

  override send(records: readonly Buffer[]): void {
    super.send(records);
    if (this.rotation === undefined) return;
    for (const { length } of records) this.size += length;
    if (this.size < this.limit || !this.rotation.putAside(this.current)) return;
    this.reopen();
    this.onNewFile();
  }

  /**
   * What was sent before goes to the file that was open, what is sent from now on to the one that has the path now.
   * When that cannot be opened, the old one stays in use and the log tells why.
   */
  override reopen(): void {
    try {
      this.open();
    } catch (error) {
      this.log.error(`${reasonOf(error as Error)}; still writing to the file opened before`);
    }
  }

  override async close(deadline: number, heir?: Heir): Promise<void> {
    await super.close(deadline, heir);
    this.rotation?.stop();
  }

  private open(): void {
    const file = open(this.settings, false);
    this.switchTo(file);
    this.current = file;
    this.size = fstatSync(file.fd).size;
  }
}

/** @param first whether nothing of ours is on its way to the file, as may be when it is opened anew */
function open({ path, printer }: FileSettings, first: boolean): AppendFile {
  try {
    const fd = openToAppend(path, mode);
    if (printer === 'msgpack' && first) endTornMap(fd);
    return { fd, path, torn: printer !== 'msgpack' && isTorn(fd) };
  } catch (error) {
    throw new Error(`cannot open ${path} for writing: ${reasonOf(error as Error)}`, { cause: error });
  }
}

/** Whether the last line has no end: the program, or the machine, ended while it was written. */
function isTorn(fd: number): boolean {
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last.toString() !== '\n';
}

/**
 * A reader passes over a torn line, but not over a torn map: what is left of one goes.
 *
 * @throws Error for a file that holds something else, which is not ours to cut
 */
function endTornMap(fd: number): void {
  const { size } = fstatSync(fd);
  const first = Buffer.alloc(1);
  if (readSync(fd, first, 0, 1, 0) === 0) return;
  if (!holdsMsgpack(first[0])) throw new Error('it holds something other than msgpack');
  const end = endOfWholeValues(fd, size);
  if (end < size) ftruncateSync(fd, end);
}

/** Whether a file begins as one of ours in msgpack does, with a map. @param first byte; undefined of an empty file */
export function holdsMsgpack(first = 0x80): boolean {
  return (first >= 0x80 && first < 0x90) || first === 0xde || first === 0xdf;
}
