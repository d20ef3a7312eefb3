import { createHash } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readOwnFile } from '../delivery/shared/own-files.ts';
import type { SavedVm } from './profiler.ts';
import type { ProfileSettings } from './settings.ts';

/** Of the format below; a file of any other is put aside. */
const VERSION = 1;
const MODE = 0o600;
/** Bytes of the largest file that is read: profiles of thousands of VMs. */
const LARGEST = 256 << 20;

/** The first line of the file; the second is the profiles, an array of {@link SavedVm}. */
interface Header {
  readonly version: number;
  readonly settings: ProfileSettings;
  /** SHA-256 of the second line. */
  readonly checksum: string;
}

/** What was found at the start. */
interface Loaded {
  readonly vms: readonly SavedVm[];
  /** Why what is there cannot be used, in words for the log. */
  readonly trouble?: string;
}

/** The file that carries the profiles over a restart. It is replaced as a whole: a crash leaves the one before. */
export class StateFile {
  readonly path: string;
  private readonly settings: ProfileSettings;
  private writing: Promise<void> | undefined;

  /** @param directory must exist; nobody else may write to it */
  constructor(directory: string, settings: ProfileSettings) {
    this.path = join(directory, 'profiles.state');
    this.settings = settings;
  }

  /** Reads the file. What cannot be used is kept under another name. */
  load(): Loaded {
    if (!existsSync(this.path)) return { vms: [] };
    let trouble: string;
    try {
      const found = this.parse(readOwnFile(this.path, LARGEST).toString());
      if (typeof found !== 'string') return { vms: found };
      trouble = found;
      renameSync(this.path, `${this.path}.unusable`);
    } catch (error) {
      trouble = (error as Error).message;
    }
    return { vms: [], trouble };
  }

  /** The profiles in a file, or why they cannot be used. */
  private parse(text: string): SavedVm[] | string {
    const [first = '', payload = ''] = text.split('\n', 2);
    const header = parseHeader(first);
    if (header === undefined) return 'it is damaged';
    if (header.version !== VERSION)
      return `it has version ${String(header.version)}, expected version ${VERSION}`;
    if (header.checksum !== checksum(payload)) return 'it is damaged';
    if (JSON.stringify(header.settings) !== JSON.stringify(this.settings))
      return 'it was made with other settings';
    return JSON.parse(payload) as SavedVm[];
  }

  /** Writes the file; while a write is under way, which the next one will make up for, nothing. @throws Error of the file system */
  async save(vms: () => readonly SavedVm[]): Promise<void> {
    if (this.writing !== undefined) return;
    await this.write(vms());
  }

  /** Writes the file for the last time, after a write that is under way. @throws Error of the file system */
  async close(vms: readonly SavedVm[]): Promise<void> {
    await this.writing?.catch(() => undefined);
    await this.write(vms);
  }

  private async write(vms: readonly SavedVm[]): Promise<void> {
    const payload = JSON.stringify(vms);
    const header: Header = { version: VERSION, settings: this.settings, checksum: checksum(payload) };
    this.writing = replace(this.path, `${JSON.stringify(header)}\n${payload}\n`);
    try {
      await this.writing;
    } finally {
      this.writing = undefined;
    }
  }
}

function parseHeader(text: string): Header | undefined {
  try {
    return (JSON.parse(text) as Header | null) ?? undefined;
  } catch {
    return undefined;
  }
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Replaces a file so that after a crash either the old or the new one is there, whole. */
async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx', MODE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const directory = await open(dirname(path));
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
