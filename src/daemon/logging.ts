import { fstatSync } from 'node:fs';
import type { DestinationStream, Logger } from 'pino';
import { pino } from 'pino';
import type { LogLevel } from '../config/settings.ts';
import { brief } from '../base/strings/printable.ts';

/** One line of the log. */
interface LogLine {
  readonly level: number;
  /** With the prefix of its logger. */
  readonly message: string | undefined;
  readonly error: unknown;
}

const STDERR = 2;
const ERROR = 50;
/** Lines that are held back at most. */
const HELD_BACK = 50;

/** Where a line of a stack begins; other line breaks are part of a message. */
const frame = /\n(?= {4}at |caused by: )/;
/** Lines of a stack that are logged at most. */
const FRAMES = 30;
/** Characters of a message that are logged at most: our own are shorter, but for lists of the keys there are. */
const MOST = 400;

/** Name and priority of each level; priorities after syslog(3). */
const levels: Readonly<Record<number, readonly [name: string, priority: number]>> = {
  20: ['debug', 7],
  30: ['info', 6],
  40: ['warning', 4],
  50: ['error', 3],
};

/** The least level that is written; that of every logger made from the program's own, also of those made before. */
let threshold = 0;

/** Changes what is logged from now on. */
export function setLogLevel(level: LogLevel): void {
  threshold = pino.levels.values[level] ?? 0;
}

/** Shows lines of the log in place of a terminal, whose screen they would spoil; undefined while nobody does. */
let show: ((line: string) => void) | undefined;
/** The last lines that were shown there, for when the terminal is back. */
let heldBack: string[] = [];

/** Passes the log to a view, and to stderr only if that is not a terminal. */
export function divertLog(shower: (line: string) => void): void {
  show = shower;
}

/** The log goes to stderr again, the last lines that were held back first. */
export function restoreLog(): void {
  show = undefined;
  process.stderr.write(heldBack.join(''));
  heldBack = [];
}

/**
 * The program's log, on stderr: for the journal each line begins with its priority (sd-daemon(3)), for people with
 * the time and the level. Nothing else is ever written to stderr, and nothing of it to stdout.
 */
export function createLog(level: LogLevel, env: NodeJS.ProcessEnv): Logger {
  setLogLevel(level);
  const format = isJournal(env['JOURNAL_STREAM']) ? forJournal : forPeople;
  // A stderr that was closed must not end the program.
  process.stderr.on('error', () => undefined);
  const destination = new Destination((line) => {
    if (line.level >= threshold) write(format(line));
  });
  return pino({ level: 'debug', base: null, timestamp: false }, destination);
}

/** Takes from pino what a line is made of, which it leaves here before it writes the line as JSON. */
class Destination implements DestinationStream {
  readonly [pino.symbols.needsMetadataGsym] = true;
  lastLevel = 0;
  lastMsg: string | undefined;
  lastObj: { readonly err?: unknown } = {};
  lastTime = '';
  lastLogger: unknown;

  constructor(private readonly take: (line: LogLine) => void) {}

  write(): void {
    this.take({ level: this.lastLevel, message: this.lastMsg, error: this.lastObj.err });
  }
}

function write(text: string): void {
  if (show === undefined || !process.stderr.isTTY) process.stderr.write(text);
  else heldBack = [...heldBack, text].slice(-HELD_BACK);
  show?.(text.trimEnd());
}

/** Whether stderr is the stream to the journal that systemd names as `device:inode`. */
function isJournal(stream: string | undefined): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(STDERR, { bigint: true });
  return stream === `${dev}:${ino}`;
}

/**
 * The text of a line. VMs, receivers and libvirt influence it, so each part is made printable, short and a single line,
 * except that stack frames keep their lines.
 */
function textOf({ level, message, error }: LogLine): string {
  // With those of its causes.
  const told = error instanceof Error ? pino.stdSerializers.err(error) : undefined;
  const stack = level >= ERROR ? told?.stack : undefined;
  const [reason = told?.message, ...frames] = stack?.split(frame, FRAMES) ?? [];
  const said = [message, reason].flatMap((part) => (part === undefined ? [] : brief(part, MOST))).join(': ');
  return [said, ...frames.map((text) => brief(text))].join('\n');
}

/** Every line needs the prefix, or the journal files it under the default priority. */
function forJournal(line: LogLine): string {
  const [, priority] = levels[line.level] ?? ['', 6];
  return `${textOf(line)
    .split('\n')
    .map((text) => `<${priority}>${text}`)
    .join('\n')}\n`;
}

function forPeople(line: LogLine): string {
  const [name] = levels[line.level] ?? ['info'];
  const time = new Date().toTimeString().slice(0, 8);
  return `${time} ${name.padEnd(7)} ${textOf(line)}\n`;
}
