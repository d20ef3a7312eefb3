import { fstatSync } from 'node:fs';
import type { Logger } from 'pino';
import { pino } from 'pino';
import type { LogLevel } from '../config/settings.ts';

/** One line as pino hands it over. */
interface LogLine {
  readonly level: number;
  readonly msg?: string;
  readonly err?: { readonly message: string; readonly stack?: string };
}

const STDERR = 2;
const ERROR = 50;
/** Lines that are kept for the end of a view. */
const HELD_BACK = 50;

/** Name and priority of each level; priorities after syslog(3). */
const levels: Readonly<Record<number, readonly [name: string, priority: number]>> = {
  20: ['debug', 7],
  30: ['info', 6],
  40: ['warning', 4],
  50: ['error', 3],
};

/** Where the log goes: stderr, or for a while somebody who shows it, because a line on the terminal would spoil a screen. */
export class LogStream {
  #show: ((text: string) => void) | undefined;
  #heldBack: string[] = [];

  constructor() {
    // A stderr that was closed must not end the program.
    process.stderr.on('error', () => undefined);
  }

  write(text: string): void {
    if (this.#show === undefined || !process.stderr.isTTY) process.stderr.write(text);
    else this.#heldBack = [...this.#heldBack, text].slice(-HELD_BACK);
    this.#show?.(text);
  }

  /** Hands the log to `show`, and to stderr only where that is no terminal. */
  divert(show: (text: string) => void): void {
    this.#show = show;
  }

  /** Goes to stderr again, with the last lines that were held back. */
  restore(): void {
    this.#show = undefined;
    process.stderr.write(this.#heldBack.join(''));
    this.#heldBack = [];
  }
}

/**
 * The program's log, on stderr: for the journal each line begins with its priority (sd-daemon(3)), for people with
 * the time and the level. Nothing else is ever written to stderr, and nothing of it to stdout.
 */
export function createLog(
  level: LogLevel,
  env: NodeJS.ProcessEnv,
  stream: LogStream = new LogStream(),
): Logger {
  const format = isJournal(env['JOURNAL_STREAM']) ? forJournal : forPeople;
  const destination = {
    write: (json: string): void => {
      stream.write(format(JSON.parse(json) as LogLine));
    },
  };
  return pino({ level, base: null, timestamp: false }, destination);
}

/** Whether stderr is the stream to the journal that systemd names as `device:inode`. */
function isJournal(stream: string | undefined): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(STDERR, { bigint: true });
  return stream === `${dev}:${ino}`;
}

function textOf({ level, msg, err }: LogLine): string {
  const parts = [msg, level >= ERROR ? (err?.stack ?? err?.message) : err?.message];
  return parts.filter((part) => part !== undefined).join(': ');
}

/** Every line of a message needs the prefix, or the journal files it under the default priority. */
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
