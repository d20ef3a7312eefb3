import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';

type Answers = Readonly<Record<string, unknown>>;

/** Two answers of one VM to each command, a second apart. */
const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/qmp/qemu-7.2.json'), 'utf8'),
) as readonly [Answers, Answers];

const GREETING = {
  QMP: { version: { qemu: { micro: 22, minor: 2, major: 7 }, package: '' }, capabilities: ['oob'] },
};

interface Command {
  readonly execute: string;
  readonly arguments?: { readonly property?: string };
  readonly id?: string;
}

/**
 * A monitor that gives the answers which a real one gave (test/fixtures/qmp): a fake, because a real QEMU never counts
 * the same twice. A command that was not recorded is refused, as QEMU refuses one that it does not know.
 */
export class RecordedMonitor {
  /** Which of the two answers is given. */
  turn: 0 | 1 = 0;
  private readonly server: Server;

  private constructor() {
    this.server = createServer((socket) => {
      this.serve(socket);
    });
  }

  /** Listens on a unix socket. */
  static async listen(path: string): Promise<RecordedMonitor> {
    const monitor = new RecordedMonitor();
    monitor.server.listen(path);
    await once(monitor.server, 'listening');
    return monitor;
  }

  close(): void {
    this.server.close();
  }

  private serve(socket: Socket): void {
    let text = '';
    const say = (message: object): void => {
      socket.write(`${JSON.stringify(message)}\n`);
    };
    say(GREETING);
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (text + chunk).split(/(?<=\})\s*(?=\{"execute")|\n/);
      text = lines.at(-1)?.endsWith('}') === true ? '' : (lines.pop() ?? '');
      for (const line of lines) if (line !== '') say(this.answer(JSON.parse(line) as Command));
    });
    socket.on('error', () => undefined);
  }

  private answer({ execute, arguments: { property } = {}, id }: Command): object {
    if (execute === 'qmp_capabilities') return { return: {}, id };
    const value = recorded[this.turn][property === undefined ? execute : `${execute} ${property}`];
    if (value !== undefined) return { return: value, id };
    return { error: { class: 'CommandNotFound', desc: `The command ${execute} has not been found` }, id };
  }
}
