import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { readSettings } from './settings.ts';
import type { Settings } from './settings.ts';

/** Where the view keeps its settings (XDG Base Directory Specification; a relative path there counts as none). */
export function settingsPath(env: NodeJS.ProcessEnv): string {
  const { XDG_CONFIG_HOME = '' } = env;
  const directory = isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : join(homedir(), '.config');
  return join(directory, 'proxtop', 'view.json');
}

/** The kept settings, and what is wrong with the file, for the user; settings as at first where there is none. */
export function loadSettings(path: string): { readonly settings: Settings; readonly trouble?: string } {
  try {
    return { settings: readSettings(JSON.parse(readFileSync(path, 'utf8'))) };
  } catch (error) {
    const settings = readSettings(undefined);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { settings };
    return { settings, trouble: `${path} is not used: ${(error as Error).message}` };
  }
}

/** Keeps the settings; the file is replaced as a whole. Throws what the file system says. */
export function saveSettings(path: string, settings: Settings): void {
  const draft = `${path}.draft`;
  mkdirSync(dirname(path), { recursive: true });
  // Under sudo the directory may be somebody else's: a link there is not followed.
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(settings, undefined, 2)}\n`, { flag: 'wx' });
  renameSync(draft, path);
}
