import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readSpoolFile } from './files.ts';
import { readFrames, type SpooledRecord } from './frame.ts';
import { readHeader, spoolVersion } from './header.ts';
import { holderOf } from './lock.ts';
import { Position } from './position.ts';
import { look, type FoundSegment } from './recovery.ts';
import { firstOf } from './segment.ts';

/** The records of one output and format in a spool. */
export interface SpoolPart {
  /** NAME of [output.NAME]. */
  readonly output: string;
  /** See formatOf; undefined where the segments do not say: those of 0.1.0, or of a version that is not known. */
  readonly format: string | undefined;
  /** Version of the segments; 0 where no header is sound. */
  readonly version: number;
  /** Oldest first. */
  readonly segments: readonly FoundSegment[];
  /** Records that are not known to have arrived. */
  readonly records: number;
  /** Size of the files. */
  readonly bytes: number;
}

/** A directory of records that wait on disk. */
export interface SpoolDirectory {
  /** Its name in the state directory: that of the output that made it. */
  readonly name: string;
  readonly directory: string;
  /** The process that uses it, empty where it does not say which; undefined when nobody does. */
  readonly holder: string | undefined;
  readonly parts: readonly SpoolPart[];
}

/** What was found in spools, by their directories, and the state of their files then. */
export type Seen = Map<string, { readonly state: string; readonly parts: readonly SpoolPart[] }>;

/** Whether these records are of a format that this version of proxtop can read. */
export function readable(part: SpoolPart): boolean {
  return part.version <= spoolVersion;
}

/**
 * The spools in a state directory by name, whether in use or not. It changes nothing; the numbers of a spool in use may be
 * slightly old.
 *
 * @param seen cache of what is found: the next call then reads only files that have changed
 * @throws Error of node:fs, but not where the directory is missing
 */
export async function survey(stateDir: string, seen?: Seen): Promise<SpoolDirectory[]> {
  const spools: SpoolDirectory[] = [];
  for (const name of await directories(stateDir)) {
    const spool = await surveyOne(stateDir, name, seen);
    if (spool !== undefined) spools.push(spool);
  }
  for (const directory of seen?.keys() ?? [])
    if (!spools.some((spool) => spool.directory === directory)) seen?.delete(directory);
  return spools;
}

/** One of them; undefined where there is no spool of this name. @throws Error of node:fs */
export async function surveyOne(
  stateDir: string,
  name: string,
  seen?: Seen,
): Promise<SpoolDirectory | undefined> {
  const directory = join(stateDir, name);
  const files = await readdir(directory).catch(unlessMissing);
  if (!files.some((file) => firstOf(file) !== undefined)) return undefined;
  const known = seen?.get(directory);
  // Before they are read: what changes meanwhile is read the next time.
  const state = seen === undefined ? '' : await stateOf(directory, files);
  const parts = known !== undefined && known.state === state ? known.parts : await read(name, directory);
  seen?.set(directory, { state, parts });
  return { name, directory, holder: await holderOf(directory), parts };
}

async function read(name: string, directory: string): Promise<SpoolPart[]> {
  // No identity: the headers say which output the records belong to.
  const nobody = { output: '', format: '', schema: 0 };
  const { segments } = await look(directory, nobody, await new Position(directory).load());
  return partsOf(name, segments);
}

/** Inode, size and time of the files that {@link read} reads. */
async function stateOf(directory: string, files: readonly string[]): Promise<string> {
  const states: string[] = [];
  for (const file of [...files].sort()) {
    if (firstOf(file) === undefined && file !== 'position') continue;
    const { ino, size, mtimeMs } = await stat(join(directory, file)).catch(() => ({
      ino: 0,
      size: 0,
      mtimeMs: 0,
    }));
    states.push(`${file} ${ino} ${size} ${mtimeMs}`);
  }
  return states.join('\n');
}

/**
 * Reads the records of a part, the oldest first; what is damaged is left out.
 *
 * @throws Error of node:fs
 */
export async function* recordsOf({ segments }: SpoolPart): AsyncGenerator<SpooledRecord> {
  for (const { path, numbers } of segments) {
    const content = await readSpoolFile(path);
    yield* readFrames(content, readHeader(content)?.bytes ?? 0, numbers.first, numbers.end).records;
  }
}

type Whose = Pick<SpoolPart, 'output' | 'format' | 'version'>;

function partsOf(name: string, segments: readonly FoundSegment[]): SpoolPart[] {
  const parts: (Whose & { readonly segments: FoundSegment[] })[] = [];
  let whose: Whose = { output: name, format: undefined, version: 0 };
  for (const segment of segments) {
    const { header } = segment;
    // A damaged header says nothing; its neighbours tell.
    if (header !== undefined) {
      const { output = name, format } = header.identity ?? {};
      whose = { output, format, version: header.version };
    }
    const { output, format, version: own } = whose;
    const part = parts.find((one) => one.output === output && one.format === format && one.version === own);
    if (part === undefined) parts.push({ ...whose, segments: [segment] });
    else part.segments.push(segment);
  }
  return parts.map((part) => ({
    ...part,
    records: part.segments.reduce((sum, { numbers }) => sum + numbers.end - numbers.first, 0),
    bytes: part.segments.reduce((sum, { bytes }) => sum + bytes, 0),
  }));
}

async function directories(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(unlessMissing);
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

function unlessMissing(error: unknown): never[] {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return [];
  throw error;
}
