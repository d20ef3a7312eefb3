import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the project. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The documents, as paths from the root. */
export const documents: readonly string[] = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

export function read(document: string): string {
  return readFileSync(join(root, document), 'utf8');
}

/** A block of shell commands in a document. */
export interface ShellBlock {
  /** What stands behind `sh` at its head; empty where nothing does. */
  readonly name: string;
  readonly script: string;
}

export function shellBlocks(document: string): readonly ShellBlock[] {
  return [...read(document).matchAll(/^```sh *(.*)\n([^]*?)^```$/gm)].map(([, name = '', script = '']) => ({
    name,
    script,
  }));
}

/** What a document says outside of blocks of code. */
export function outsideBlocks(document: string): string {
  return read(document).replace(/^```[^]*?^```/gm, '');
}
