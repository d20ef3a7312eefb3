import { hostname } from 'node:os';
import type { Paths } from '../../kernel/base/paths.ts';
import { SlowFiles } from '../slow-files.ts';

/** ms that one read of /etc/pve may take; it is in memory, so what takes longer hangs. */
const DEADLINE = 1000;

/**
 * The cluster file system of a Proxmox VE node, which can hang. All readers use the same object, for all kinds of guests,
 * so that at most one operation hangs.
 */
export class PveFiles extends SlowFiles {
  constructor(private readonly paths: Paths) {
    super(DEADLINE);
  }

  /** The part of .version that changes with any guest's configuration; undefined where there is no such file. */
  async guestVersion(): Promise<string | undefined> {
    let text: string;
    try {
      text = await this.read(this.paths.pve('.version'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const start = /"starttime"\s*:\s*(\d+)/.exec(text)?.[1];
    const list = /"vmlist"\s*:\s*(\d+)/.exec(text)?.[1];
    return start === undefined || list === undefined ? undefined : `${start} ${list}`;
  }

  /** Where this node keeps a folder of its own: below its name, which `local` points to. Rejects where it has none. */
  async nodeFolder(name: string): Promise<string> {
    const node = hostname().split('.')[0] ?? '';
    const candidates = [`local/${name}`, `nodes/${node}/${name}`].map((path) => this.paths.pve(path));
    for (const path of candidates) {
      try {
        await this.stat(path);
        return path;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    throw new Error(`there is neither ${candidates.join(' nor ')}`);
  }
}
