import { once } from 'node:events';
import { open, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { DirectoryLock, SpoolInUseError } from '../../delivery/ledger/spool/lock.ts';
import { Position } from '../../delivery/ledger/spool/position.ts';
import { firstOf } from '../../delivery/ledger/spool/segment.ts';
import {
  readable,
  recordsOf,
  survey,
  surveyOne,
  type SpoolDirectory,
  type SpoolPart,
} from '../../delivery/ledger/spool/survey.ts';
import { OthersMayWriteError, ownDirectory } from '../../delivery/shared/own-files.ts';
import type { ExitCode } from '../exit-codes.ts';
import { exitCodes } from '../exit-codes.ts';
import type { SpoolRequest } from './spool-arguments.ts';
import { aligned, durationInWords, size } from '../words.ts';

/** What cannot be done, in words for the user. */
class SpoolCommandError extends Error {
  override readonly name = 'SpoolCommandError';
}

/**
 * Lists the spools of a state directory, copies the records of one out of it, or deletes one. The latter two take the
 * spool, so they refuse while another process has it.
 *
 * @param out gets the list, or the records where no file is named
 * @param messages gets what was done, or why it could not be
 */
export async function spoolCommand(
  request: SpoolRequest,
  stateDir: string,
  out: Writable,
  messages: Writable,
): Promise<ExitCode> {
  try {
    if (request.action === 'list') out.write(await list(stateDir));
    else messages.write(`${await change(request, stateDir, out)}\n`);
    return exitCodes.done;
  } catch (error) {
    // A reader that has seen enough of it (`| head`) is no fault.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return exitCodes.done;
    const known = error instanceof SpoolCommandError || error instanceof OthersMayWriteError;
    if (!known && (error as NodeJS.ErrnoException).code === undefined) throw error;
    messages.write(`proxtop spool: ${(error as Error).message}\n`);
    return exitCodes.failure;
  }
}

/** @returns what was done, in words */
async function change(
  request: Exclude<SpoolRequest, { readonly action: 'list' }>,
  stateDir: string,
  out: Writable,
): Promise<string> {
  const [, name = '', format] = /^([^:]*)(?::(.*))?$/s.exec(request.spool) ?? [];
  const { directory } = await found(stateDir, name);
  await ownDirectory(directory);
  const lock = await takeLock(directory, request.action);
  try {
    const spool = await found(stateDir, name);
    const parts = spool.parts.filter(
      (part) => format === undefined || shortOf(part) === format || part.format === format,
    );
    if (parts.length === 0 && (format !== undefined || request.action === 'drain'))
      throw new SpoolCommandError(`${directory} has ${without(spool, format)}`);
    if (request.action === 'drain') return await drain(spool, parts, request.file, out);
    return await remove(spool, parts);
  } finally {
    await lock?.release();
    // Not where anything is left in it, or it is in use again.
    await rmdir(directory).catch(() => undefined);
  }
}

/** On a read-only file system nobody can take the spool; its records can be copied all the same. */
async function takeLock(directory: string, action: 'drain' | 'delete'): Promise<DirectoryLock | undefined> {
  try {
    return await DirectoryLock.take(directory);
  } catch (error) {
    if (action === 'drain' && (error as NodeJS.ErrnoException).code === 'EROFS') return undefined;
    if (error instanceof SpoolInUseError)
      throw new SpoolCommandError(`the spool ${directory} is used by ${error.who}: stop it first`);
    throw error;
  }
}

async function list(stateDir: string): Promise<string> {
  const spools = await survey(stateDir);
  if (spools.length === 0) return `no records wait in ${stateDir}\n`;
  const rows = [['SPOOL', 'RECORDS', 'SIZE', 'OLDEST', 'OUTPUT', 'FORMAT', 'USED BY']];
  for (const { name, holder, parts } of spools) {
    for (const part of parts) {
      const user = holder === undefined ? '-' : holder === '' ? 'a process' : `process ${holder}`;
      const { records, bytes, output } = part;
      rows.push([name, String(records), size(bytes), await ageOf(part), output, formatOf(part), user]);
    }
  }
  return `${aligned(rows).join('\n')}\n`;
}

async function ageOf(part: SpoolPart): Promise<string> {
  if (!readable(part)) return '-';
  try {
    for await (const { time } of recordsOf(part)) return durationInWords(Date.now() - time);
  } catch {
    // It was delivered just now, or cannot be read; draining it will say why.
  }
  return '-';
}

async function drain(
  spool: SpoolDirectory,
  parts: readonly SpoolPart[],
  file: string,
  out: Writable,
): Promise<string> {
  const [part] = parts;
  if (part === undefined || parts.length > 1) {
    const one = `${spool.name}:${wordOf(parts[0] as SpoolPart, spool)}`;
    const how = `name one of them, such as ${one.includes(' ') ? `'${one}'` : one}`;
    throw new SpoolCommandError(`${spool.directory} has ${formats(spool)}: ${how}`);
  }
  if (!readable(part))
    throw new SpoolCommandError(
      `${spool.directory} is of version ${part.version}, which this proxtop cannot read`,
    );
  const handle = file === '-' ? undefined : await open(file, 'wx', 0o640);
  let count = 0;
  try {
    for await (const { bytes } of recordsOf(part)) {
      if (handle !== undefined) await handle.appendFile(bytes);
      else if (!out.write(bytes)) await once(out, 'drain');
      count++;
    }
    await handle?.sync();
  } finally {
    await handle?.close();
  }
  const lost = part.records - count;
  const damage = lost > 0 ? `; ${lost} are damaged` : '';
  const whither = file === '-' ? 'standard output' : file;
  return `copied ${count} records of ${spool.directory} to ${whither}${damage}; the spool keeps them until "proxtop spool delete"`;
}

async function remove(spool: SpoolDirectory, parts: readonly SpoolPart[]): Promise<string> {
  const count = parts.reduce((sum, { records }) => sum + records, 0);
  const done = `deleted ${count} records of ${spool.directory}`;
  const kept = spool.parts.filter((part) => !parts.includes(part));
  if (kept.length === 0) {
    // The position goes first: it would call what is deleted missing. What else is in the directory is not ours.
    const isOurs = (file: string): boolean => firstOf(file) !== undefined || /^(lock|draft)\.\d+$/.test(file);
    for (const file of ['position', ...(await readdir(spool.directory)).filter(isOurs)])
      await rm(join(spool.directory, file), { force: true });
    return done;
  }
  const position = new Position(spool.directory);
  const next = (await position.load())?.next;
  const segments = kept.flatMap((part) => part.segments);
  segments.sort((a, b) => a.numbers.first - b.numbers.first);
  // What is deleted is no damage.
  const ends = [...spool.parts.flatMap((part) => part.segments.map(({ numbers }) => numbers.end)), next ?? 1];
  await position.save({ ranges: segments.map(({ numbers }) => numbers), next: Math.max(...ends) }, true);
  await position.close();
  for (const { path } of parts.flatMap((part) => part.segments)) await rm(path, { force: true });
  return done;
}

async function found(stateDir: string, name: string): Promise<SpoolDirectory> {
  const spool = isName(name) ? await surveyOne(stateDir, name) : undefined;
  if (spool !== undefined) return spool;
  const names = (await survey(stateDir)).map((one) => one.name);
  const there = names.length === 0 ? 'it has no spools' : `found: ${names.join(', ')}`;
  throw new SpoolCommandError(`no spool ${JSON.stringify(name)} in ${stateDir}; ${there}`);
}

/** Whether it names something in a directory, not the directory itself or what is elsewhere. */
function isName(text: string): boolean {
  return !['', '.', '..'].includes(text) && !text.includes('/');
}

/** @param format that none of its records has */
function without(spool: SpoolDirectory, format: string | undefined): string {
  if (spool.parts.length === 0 || format === undefined) return 'no records';
  return `no records in format ${format}, but ${formats(spool)}`;
}

function formats(spool: SpoolDirectory): string {
  const words = spool.parts.map((part) => wordOf(part, spool));
  return `records in ${words.length === 1 ? 'format' : 'the formats'} ${words.join(', ')}`;
}

/** The format as it is named on the command line: in short, where no other one of the spool has the same name. */
function wordOf(part: SpoolPart, { parts }: SpoolDirectory): string {
  const short = shortOf(part);
  return parts.some((other) => other !== part && shortOf(other) === short) ? (part.format ?? short) : short;
}

function shortOf({ format, version }: SpoolPart): string {
  return format?.split(' ')[0] ?? `version${version}`;
}

function formatOf(part: SpoolPart): string {
  return readable(part) ? (part.format ?? 'unknown') : `unknown (version ${part.version})`;
}
