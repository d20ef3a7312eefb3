import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of the history: one hour, or the part of it that one run recorded. */
export interface HistoryFile {
  readonly path: string;
  /** Files have numbers in the order in which they were begun, whatever the clock said. */
  readonly number: number;
  /** The minute of its first sample, ms since 1970; all others are of the same hour. */
  readonly time: number;
}

export interface SizedFile extends HistoryFile {
  bytes: number;
}

const HOUR = 3_600_000;
const ending = '.jsonl.gz';
const pattern = /^(\d{6,12})-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z\.jsonl\.gz$/;

/** The directory of the history below the state directory. */
export function historyDirectory(stateDir: string): string {
  return join(stateDir, 'history');
}

/** The hour that a time belongs to: it is the same for all samples of a file. @param time ms since 1970 */
export function hourOf(time: number): number {
  return Math.floor(time / HOUR);
}

/** When the hour of a file ends, ms since 1970. */
export function endOfHour({ time }: HistoryFile): number {
  return (hourOf(time) + 1) * HOUR;
}

/** The file that is begun with a sample: its name is `000042-20261128T0317Z.jsonl.gz`, in UTC. */
export function newFile(directory: string, number: number, time: number): HistoryFile {
  const minute = `${new Date(time).toISOString().slice(0, 16).replaceAll(/[-:]/g, '')}Z`;
  const path = join(directory, `${String(number).padStart(6, '0')}-${minute}${ending}`);
  return { path, number, time: Math.floor(time / 60_000) * 60_000 };
}

/** The files of a history in the order in which they were begun; others in that directory are passed over, and what is no file: a pipe would be waited for. @throws Error of node:fs */
export async function listFiles(directory: string): Promise<HistoryFile[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const files = entries.flatMap((entry) => {
    if (!entry.isFile()) return [];
    const { name } = entry;
    const [, number, year, month, day, hour, minute] = pattern.exec(name) ?? [];
    const time = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute));
    return Number.isNaN(time) ? [] : { path: join(directory, name), number: Number(number), time };
  });
  return files.sort((a, b) => a.number - b.number || a.time - b.time);
}

/** As {@link listFiles}, with their sizes. */
export async function listSizedFiles(directory: string): Promise<SizedFile[]> {
  const files = await listFiles(directory);
  const sized = await Promise.all(
    files.map(async (file) => ({ ...file, bytes: (await stat(file.path).catch(() => undefined))?.size })),
  );
  return sized.flatMap(({ bytes, ...file }) => (bytes === undefined ? [] : { ...file, bytes }));
}
