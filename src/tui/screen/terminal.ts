import { write, writeSync } from 'node:fs';
import type { Cells } from './cells.ts';
import { KeyDecoder } from './keys.ts';
import type { Key } from './keys.ts';
import type { Depth } from './palette.ts';
import { PendingInput } from './pending-input.ts';
import { ReadyOutput } from './ready-output.ts';
import type { Size } from './spans.ts';

const STDOUT = 1;
/** ms until a terminal that takes nothing just now is tried again. */
const RETRY = 10;
/** ms after which a process that was to be stopped, and runs, was not. */
const UNSTOPPED = 100;

/** Screen of its own (1049), no cursor (25), no wrapping (7), mouse buttons and wheel (1000) told in text (1006). */
const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?1000h\x1b[?1006h\x1b[2J';
const leave = '\x1b[?2026l\x1b[?1006l\x1b[?1000l\x1b[?7h\x1b[0m\x1b[?25h\x1b[?1049l';

/** What the terminal can show. */
export interface Capabilities {
  readonly depth: Depth;
  /** Whether it shows characters beyond ASCII. */
  readonly unicode: boolean;
}

/** What the terminal can show, after what the environment says: TERM, COLORTERM, NO_COLOR and the locale. */
export function capabilities(env: NodeJS.ProcessEnv): Capabilities {
  const told = process.stdout.getColorDepth(env);
  // Node knows the 256 colours of xterm alone by their names.
  const depth = told === 4 && /-256color$/.test(env['TERM'] ?? '') ? 8 : told;
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((each) => (each ?? '') !== '');
  // The console of Linux has no bars and few letters.
  const unicode = /utf-?8/i.test(locale ?? '') && env['TERM'] !== 'linux';
  return { depth: depth === 4 || depth === 8 || depth === 24 ? depth : 1, unicode };
}

/** Who uses the terminal. */
export interface TerminalUser {
  press(key: Key): void;
  /** The screen has another size, or lost what it showed: all of it is to be drawn. */
  redraw(): void;
  /** The terminal is gone. */
  gone(): void;
}

/**
 * The terminal of this process: a screen of its own and keys as they are pressed, until it is closed. It is restored
 * however the process ends, unless by a signal that cannot be caught, and for as long as the process is stopped.
 */
export class Terminal {
  private readonly cells: Cells;
  private readonly user: TerminalUser;
  private readonly decoder: KeyDecoder;
  private readonly pending = new PendingInput();
  private readonly output = new ReadyOutput();
  private isOpen = false;
  /** A frame is on its way to a terminal that may be slow; the next one waits for it. */
  private writing: Buffer | undefined;
  private waiting = false;
  /** What is to be done when that frame has been taken, in place of the next one. */
  private afterFrame: (() => void) | undefined;

  private readonly onData = (bytes: Uint8Array): void => {
    this.decoder.write(bytes);
  };
  private readonly onGone = (): void => {
    this.user.gone();
  };
  private readonly onResize = (): void => {
    this.begin();
  };
  /** Stopped by a signal from elsewhere: the terminal is given back first. */
  private readonly onStop = (): void => {
    this.stop(process.pid);
  };
  private readonly onContinue = (): void => {
    process.off('SIGTSTP', this.onStop);
    process.on('SIGTSTP', this.onStop);
    this.enter();
    this.begin();
  };
  private readonly onExit = (): void => {
    this.leave();
  };

  constructor(cells: Cells, user: TerminalUser) {
    this.cells = cells;
    this.user = user;
    this.decoder = new KeyDecoder((key) => {
      user.press(key);
    });
  }

  get size(): Size {
    const { columns, rows } = process.stdout;
    return { columns, rows };
  }

  /** Takes the terminal. */
  open(): void {
    process.on('exit', this.onExit);
    process.on('SIGCONT', this.onContinue);
    process.on('SIGTSTP', this.onStop);
    process.stdout.on('resize', this.onResize);
    process.stdin.on('data', this.onData).on('end', this.onGone).on('error', this.onGone);
    this.enter();
    this.begin();
  }

  /** Deals with the keys that were pressed meanwhile, without returning to the event loop. */
  takeKeys(): void {
    if (!this.isOpen) return;
    const bytes = this.pending.take();
    if (bytes.length > 0) this.decoder.write(bytes);
  }

  /**
   * Gives the terminal back.
   *
   * @returns resolved when it is back: a frame on its way would be drawn over the shell's own screen
   */
  close(): Promise<void> {
    this.decoder.close();
    this.pending.close();
    process.off('SIGTSTP', this.onStop);
    process.off('SIGCONT', this.onContinue);
    process.stdout.off('resize', this.onResize);
    process.stdin.off('data', this.onData).off('end', this.onGone).off('error', this.onGone).pause();
    return new Promise((resolve) => {
      this.whenIdle(() => {
        this.leave();
        this.output.close();
        process.off('exit', this.onExit);
        resolve();
      });
    });
  }

  /** Gives the terminal back and stops the job until somebody continues it, as Ctrl-Z does in other programs. */
  suspend(): void {
    this.stop(0);
  }

  /** Brings what the cells hold to the screen. While a slow terminal takes one frame, frames are left out. */
  show(): void {
    if (!this.isOpen || this.afterFrame !== undefined) return;
    if (this.writing !== undefined) {
      this.waiting = true;
      return;
    }
    const changes = this.cells.changes();
    if (changes !== '') this.write(Buffer.from(changes));
  }

  private write(frame: Buffer): void {
    const bytes = frame.subarray(this.output.write(frame));
    if (bytes.length === 0) {
      this.taken();
      return;
    }
    this.writing = bytes;
    write(STDOUT, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => {
          this.write(bytes);
        }, RETRY);
      } else if (error !== null) {
        this.waiting = false;
        this.taken();
        this.user.gone();
      } else if (written < bytes.length) {
        this.write(bytes.subarray(written));
      } else {
        this.taken();
      }
    });
  }

  /** The terminal has taken a frame, or takes none any more. */
  private taken(): void {
    this.writing = undefined;
    const { afterFrame } = this;
    this.afterFrame = undefined;
    afterFrame?.();
    if (!this.waiting) return;
    this.waiting = false;
    this.show();
  }

  /** Does something that must not come before the frame on its way. */
  private whenIdle(action: () => void): void {
    if (this.writing === undefined) action();
    else this.afterFrame = action;
  }

  /** @param whom a process, or 0 for all of our group */
  private stop(whom: number): void {
    this.whenIdle(() => {
      this.leave();
      process.off('SIGTSTP', this.onStop);
      process.kill(whom, 'SIGTSTP');
      // If no shell waits for the job, the kernel does not stop it and it is never continued.
      setTimeout(() => {
        if (!this.isOpen) this.onContinue();
      }, UNSTOPPED);
    });
  }

  private begin(): void {
    this.cells.reset(this.size);
    this.user.redraw();
  }

  private enter(): void {
    this.isOpen = true;
    // Whoever had the terminal meanwhile may have set its mode, which Node does not know.
    process.stdin.setRawMode(false);
    process.stdin.setRawMode(true);
    process.stdin.resume();
    writeNow(enter);
  }

  private leave(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    try {
      process.stdin.setRawMode(false);
    } catch {
      // A terminal that is gone has no mode to restore.
    }
    writeNow(leave);
  }
}

/** Writes before the process may end or stop. A terminal that takes nothing at once is left alone. */
function writeNow(text: string): void {
  try {
    writeSync(STDOUT, text);
  } catch {
    // Nothing else can be done for it.
  }
}
