import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Paths } from '../../kernel/base/paths.ts';
import type { PveConfig } from './pve-config.ts';
import { parsePveConfig } from './pve-config.ts';
import { SlowFiles } from '../slow-files.ts';

/** ms that one read of /etc/pve may take; it is in memory, so what takes longer hangs. */
const DEADLINE = 1000;
/** ms in which a file may change once more without another stamp: the cluster file system tells whole seconds. */
const RECENT = 2000;
const CONFIG_NAME = /^([1-9]\d{2,8})\.conf$/;

interface Known {
  /** Modification time and size: what tells that the file was rewritten. Undefined where they cannot tell it yet. */
  readonly stamp: string | undefined;
  readonly config: PveConfig;
}

/**
 * The VM configurations of this node. They are read in the background; while /etc/pve hangs, is unmounted or gone,
 * what was read last stays.
 */
export class PveConfigs {
  private known = new Map<string, Known>();
  private readonly files = new SlowFiles(DEADLINE);
  private version: string | undefined;
  private running: Promise<void> | undefined;
  private broken = false;

  constructor(
    private readonly paths: Paths,
    private readonly log: Logger,
  ) {}

  get(vmid: string): PveConfig | undefined {
    return this.known.get(vmid)?.config;
  }

  /** Reads what changed. Never rejects; a call while one is under way joins it. */
  refresh(): Promise<void> {
    this.running ??= this.look().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async look(): Promise<void> {
    try {
      const version = await this.vmVersion();
      if (version === undefined || version !== this.version) {
        await this.readChanged();
        this.version = version;
      }
      if (this.broken) this.log.info('the Proxmox configuration can be read again');
      this.broken = false;
    } catch (error) {
      if (!this.broken)
        this.log.warn(`the Proxmox configuration cannot be read, what is known stays: ${String(error)}`);
      this.broken = true;
    }
  }

  /** The part of .version that changes with any VM's configuration; undefined where there is no such file. */
  private async vmVersion(): Promise<string | undefined> {
    let text: string;
    try {
      text = await this.files.read(this.paths.pve('.version'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const start = /"starttime"\s*:\s*(\d+)/.exec(text)?.[1];
    const list = /"vmlist"\s*:\s*(\d+)/.exec(text)?.[1];
    return start === undefined || list === undefined ? undefined : `${start} ${list}`;
  }

  /** Rejects with the first error when a file cannot be read; what the others say is taken all the same. */
  private async readChanged(): Promise<void> {
    const directory = await this.directory();
    const next = new Map<string, Known>();
    const errors: unknown[] = [];
    for (const file of await this.files.list(directory)) {
      const vmid = CONFIG_NAME.exec(file)?.[1];
      if (vmid === undefined) continue;
      const before = this.known.get(vmid);
      const known = await this.readConfig(`${directory}/${file}`, before).catch((error: unknown) => {
        errors.push(error);
        return before;
      });
      if (known !== undefined) next.set(vmid, known);
    }
    this.known = next;
    if (errors.length > 0) throw errors[0];
  }

  /** Where the node keeps its VMs' files: below its own name, which `local` points to. */
  private async directory(): Promise<string> {
    const node = hostname().split('.')[0] ?? '';
    const candidates = ['local/qemu-server', `nodes/${node}/qemu-server`].map((path) => this.paths.pve(path));
    for (const path of candidates) {
      try {
        await this.files.stat(path);
        return path;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    throw new Error(`there is neither ${candidates.join(' nor ')}`);
  }

  private async readConfig(path: string, known: Known | undefined): Promise<Known | undefined> {
    try {
      const { mtimeMs, size } = await this.files.stat(path);
      const stamp = Date.now() - mtimeMs < RECENT ? undefined : `${mtimeMs} ${size}`;
      if (stamp !== undefined && known?.stamp === stamp) return known;
      const text = await this.files.read(path);
      // A writer that truncates first shows an empty file for a moment: the next look finds the new content.
      if (text.trim() === '' && known !== undefined) return known;
      return { stamp, config: parsePveConfig(text) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
