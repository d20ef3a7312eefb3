import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** How far a spool is delivered, in a file: what is delivered twice after a crash is little, not a whole segment. */
export class Position {
  private path: string;
  private dirty = false;
  private saving: Promise<void> | undefined;
  /** The number of the oldest record that is not known to have arrived. */
  ordinal = 1;

  constructor(directory: string) {
    this.path = join(directory, 'position');
  }

  /** Reads the file; one that is missing or damaged says nothing. */
  load(): void {
    let text = '';
    try {
      text = readFileSync(this.path, 'latin1');
    } catch {
      return;
    }
    const ordinal = Number.parseInt(text, 10);
    if (ordinal > 0 && text === lineOf(ordinal)) this.ordinal = ordinal;
  }

  /** All records below `ordinal` have arrived. */
  advance(ordinal: number): void {
    if (ordinal <= this.ordinal) return;
    this.ordinal = ordinal;
    this.dirty = true;
  }

  /** Writes the file where it has to change. Never rejects: an old file costs duplicates, no records. */
  async save(): Promise<void> {
    await this.saving;
    if (!this.dirty) return;
    this.dirty = false;
    const draft = `${this.path}.draft`;
    this.saving = writeFile(draft, lineOf(this.ordinal), { mode: 0o600 })
      .then(() => rename(draft, this.path))
      .catch(() => {
        this.dirty = true;
      });
    await this.saving;
  }
}

function lineOf(ordinal: number): string {
  return `${ordinal} ${crc32(String(ordinal)).toString(16)}\n`;
}
