import type { Logger } from 'pino';
import type { PveFiles } from './pve-files.ts';

/** ms in which a file may change again with the same time stamp: the cluster file system has whole seconds. */
const RECENT = 2000;
const CONFIG_NAME = /^([1-9]\d{2,8})\.conf$/;

/** How the guests of one kind are configured. */
export interface ConfigKind<C> {
  /** Folder of the node that holds their files, `<vmid>.conf`. */
  readonly folder: string;
  /** What the log calls such guests. */
  readonly guests: string;
  /** Reads what a file holds; throws at nothing. */
  readonly parse: (text: string) => C;
}

interface Known<C> {
  /** Modification time and size: what tells that the file was rewritten. Undefined where they cannot tell it yet. */
  readonly stamp: string | undefined;
  readonly config: C;
}

/**
 * The configurations of this node's guests of one kind. They are read in the background; while /etc/pve hangs, is unmounted or gone,
 * what was read last stays.
 */
export class PveConfigs<C> {
  private known = new Map<string, Known<C>>();
  private version: string | undefined;
  private running: Promise<void> | undefined;
  private broken = false;

  constructor(
    private readonly files: PveFiles,
    private readonly kind: ConfigKind<C>,
    private readonly log: Logger,
  ) {}

  get(vmid: string): C | undefined {
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
      const version = await this.files.guestVersion();
      if (version === undefined || version !== this.version) {
        await this.readChanged();
        this.version = version;
      }
      if (this.broken) this.log.info(`the Proxmox configuration of ${this.kind.guests} can be read again`);
      this.broken = false;
    } catch (error) {
      if (!this.broken)
        this.log.warn(
          `the Proxmox configuration of ${this.kind.guests} cannot be read, keeping the last known one: ${String(error)}`,
        );
      this.broken = true;
    }
  }

  /** Rejects with the first error when a file cannot be read; what the others say is taken all the same. */
  private async readChanged(): Promise<void> {
    const directory = await this.files.nodeFolder(this.kind.folder);
    const next = new Map<string, Known<C>>();
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

  private async readConfig(path: string, known: Known<C> | undefined): Promise<Known<C> | undefined> {
    try {
      const { mtimeMs, size } = await this.files.stat(path);
      const stamp = Date.now() - mtimeMs < RECENT ? undefined : `${mtimeMs} ${size}`;
      if (stamp !== undefined && known?.stamp === stamp) return known;
      const text = await this.files.read(path);
      // A writer that truncates first shows an empty file for a moment: the next look finds the new content.
      if (text.trim() === '' && known !== undefined) return known;
      return { stamp, config: this.kind.parse(text) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
