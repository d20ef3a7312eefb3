import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { changedPreferences, readPreferences } from './preferences.ts';
import type { Preferences } from './preferences.ts';

/** Where the view keeps its preferences (XDG Base Directory Specification; a relative path there counts as none). */
export function preferencesPath(env: NodeJS.ProcessEnv): string {
  const { XDG_CONFIG_HOME = '' } = env;
  const directory = isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : join(homedir(), '.config');
  return join(directory, 'proxtop', 'view.json');
}

/** The kept preferences, and what is wrong with the file, for the user; preferences as at first where there is none. */
export function loadPreferences(path: string): {
  readonly preferences: Preferences;
  readonly trouble?: string;
} {
  try {
    return { preferences: readPreferences(JSON.parse(readFileSync(path, 'utf8'))) };
  } catch (error) {
    const preferences = readPreferences(undefined);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { preferences };
    return { preferences, trouble: `${path} is not used: ${(error as Error).message}` };
  }
}

/** Keeps what the user changed; the file is replaced as a whole. Throws what the file system says. */
export function savePreferences(path: string, preferences: Preferences): void {
  const draft = `${path}.draft`;
  mkdirSync(dirname(path), { recursive: true });
  // Under sudo the directory may be somebody else's: a link there is not followed.
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(changedPreferences(preferences), undefined, 2)}\n`, { flag: 'wx' });
  renameSync(draft, path);
}
