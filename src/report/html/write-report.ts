import { randomBytes } from 'node:crypto';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hostTitle } from '../collect.ts';
import type { Collected } from '../collect.ts';
import { clockAt } from '../shared/words.ts';
import type { Zone } from '../shared/model.ts';

/** Names of tenants are in it. */
const fileMode = 0o640;

/**
 * Writes a report as a whole: a file that stood at its path goes only when the new one is complete. What else is there (a
 * device, a pipe, a symbolic link such as /dev/stdout) stays, and the report is written into it.
 *
 * @throws Error of node:fs
 */
export async function writeReport(path: string, text: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there !== undefined && !there.isFile()) {
    const handle = await open(path, 'w', fileMode);
    await handle.writeFile(text);
    await handle.close();
    return;
  }
  const draft = join(dirname(path), `.proxtop-${randomBytes(6).toString('hex')}`);
  const handle = await open(draft, 'wx', fileMode);
  try {
    await handle.writeFile(text);
    await handle.close();
    await rename(draft, path);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(draft, { force: true });
    throw error;
  }
}

/** `proxtop-pve1-20261128T0200-0400.html`: host and span, by the clock of the zone. */
export function usualName(collected: Collected, zone: Zone): string {
  const { from, to } = collected.coverage;
  const compact = (time: number): string =>
    clockAt(zone, Math.round(time / 60_000) * 60_000)
      .toISOString()
      .slice(0, 16)
      .replaceAll(/[-:]/g, '');
  const [begin, end] = [compact(from), compact(to)];
  const isSameDay = begin.slice(0, 8) === end.slice(0, 8);
  const of = hostTitle(collected)
    .replaceAll(/[^\w.-]/g, '_')
    .slice(0, 64);
  return `proxtop-${of === '' ? 'host' : of}-${begin}-${isSameDay ? end.slice(9) : end}.html`;
}
