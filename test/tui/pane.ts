import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const DEADLINE = 180_000;
const LOOK_AGAIN = 50;

/** A real terminal: a pane of a tmux of its own, with a shell in it. */
export class Pane {
  private readonly socket = `proxtop-${randomUUID()}`;

  private constructor() {
    // Made by open alone.
  }

  /** Opens a terminal with a shell. @param env beside what the shell needs */
  static async open(
    columns: number,
    rows: number,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Pane> {
    const pane = new Pane();
    const all = {
      TERM: 'tmux-256color',
      LANG: 'C.UTF-8',
      PATH: process.env['PATH'] ?? '',
      HOME: '/nonexistent',
      HISTFILE: '',
      ...env,
    };
    const variables = Object.entries(all).map(([name, value]) => `${name}=${value}`);
    const shell = ['env', '-i', ...variables, 'PS1=READY$ ', 'bash', '--norc', '--noprofile', '-i'];
    pane.tmux('-f', '/dev/null', '-u', 'new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, ...shell);
    pane.tmux('set-option', '-s', 'escape-time', '0');
    await pane.until('a prompt', (screen) => screen.includes('READY$'));
    return pane;
  }

  /** The screen, line by line, without blanks at the ends. */
  get lines(): string[] {
    return this.tmux('capture-pane', '-p').split('\n');
  }

  get screen(): string {
    return this.lines.join('\n');
  }

  /** The screen with its colours, as escape sequences. */
  get coloured(): string {
    return this.tmux('capture-pane', '-p', '-e');
  }

  /** Presses keys by the names that tmux knows, such as Enter, PageDown or C-c; others are characters. */
  press(...keys: readonly string[]): void {
    this.tmux('send-keys', ...keys);
  }

  /** Types a text, then Enter. */
  type(text: string): void {
    this.tmux('send-keys', '-l', text);
    this.press('Enter');
  }

  /** Sends bytes as a terminal would. */
  send(text: string): void {
    this.tmux('send-keys', '-H', ...[...Buffer.from(text)].map((byte) => byte.toString(16)));
  }

  resize(columns: number, rows: number): void {
    this.tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`);
  }

  /** What tmux knows about the terminal, by the name of its format. */
  state(format: string): string {
    return this.tmux('display-message', '-p', `#{${format}}`).trim();
  }

  /** Resolves with the screen as soon as it is as wanted. */
  async until(what: string, wanted: (screen: string) => boolean): Promise<string> {
    const end = Date.now() + DEADLINE;
    for (;;) {
      const { screen } = this;
      if (wanted(screen)) return screen;
      if (Date.now() > end) assert.fail(`${what}: not on the screen:\n${screen}`);
      await sleep(LOOK_AGAIN);
    }
  }

  /** Resolves with the screen as soon as it has a text. */
  shows(text: string | RegExp): Promise<string> {
    return this.until(String(text), (screen) =>
      typeof text === 'string' ? screen.includes(text) : text.test(screen),
    );
  }

  /** Ends the shell and what runs in it. */
  close(): void {
    this.tmux('kill-server');
  }

  private tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.socket, ...args], { encoding: 'utf8' });
  }
}
