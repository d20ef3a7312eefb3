import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

/** Whether a program is installed. */
export function installed(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** A receiver that the machine's distribution packages, run by a test with a configuration of its own. */
export class Daemon {
  private child: ChildProcess | undefined;
  private errors = '';

  /** @param url answers once the program is ready */
  constructor(
    t: TestContext,
    readonly program: string,
    readonly args: readonly string[],
    readonly url: string,
  ) {
    t.after(() => this.kill());
  }

  async start(): Promise<void> {
    const child = spawn(this.program, this.args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child = child;
    child.stderr.on('data', (data: Buffer) => (this.errors = (this.errors + data.toString()).slice(-2000)));
    const end = performance.now() + 120_000;
    while (!(await answers(this.url))) {
      if (child.exitCode !== null || performance.now() > end)
        throw new Error(`${this.program} does not answer: ${this.errors}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async kill(): Promise<void> {
    const child = this.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
