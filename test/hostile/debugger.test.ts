import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROXTOP, Program } from '../e2e/program.ts';
import { Pane } from '../tui/pane.ts';

const PROXPROFILER = join(PROXTOP, '../proxprofiler');
const LISTENS = '0A';

/** Whether a process listens on a TCP port: none of those here is to. */
function listensOnTcp(pid: number): boolean {
  const inodes = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .flatMap((fields) => (fields[3] === LISTENS ? [`socket:[${fields[9]}]`] : [])),
  );
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return inodes.includes(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      return false;
    }
  });
}

/** A program without input that ends with its test. */
function start(t: TestContext, program: string, args: readonly string[]): Program {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  return new Program(child);
}

for (const [program, args] of [
  [PROXTOP, ['--qemu', '--printer=json']],
  [PROXPROFILER, ['--qemu', '--cpu', '--outputfreq=1s', '--state-dir=/nonexistent']],
] as const) {
  test(`${program.split('/').at(-1) ?? ''}: SIGUSR1 does nothing`, { timeout: 300_000 }, async (t) => {
    const running = start(t, program, args);
    const lines = (): number => `${running.stdout}${running.stderr}`.split('\n').length;
    await running.until('it runs', () => lines() > 1);
    for (let n = 0; n < 20; n++) running.child.kill('SIGUSR1');
    // The signals have arrived when the next but one sample is written; profiles of no VM are none.
    const before = lines();
    if (program === PROXTOP) await running.until('it goes on', () => lines() > before + 1);
    assert.equal(listensOnTcp(running.pid), false);
    const { code, stderr } = await running.stop();
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, /Debugger/);
  });
}

test('SIGUSR1 at any moment of the start opens nothing that stays', { timeout: 300_000 }, async (t) => {
  for (const args of [['--qemu'], ['status', '--rundir=/nonexistent'], ['--list-metrics']]) {
    for (let delay = 0; delay < 100; delay += 5) {
      const running = start(t, PROXTOP, args);
      await sleep(delay);
      running.child.kill('SIGUSR1');
      if (args[0] !== '--qemu') {
        await running.end();
        continue;
      }
      // It has ended, or it is past the moment in which a debugger could have been opened.
      await Promise.race([
        running.end(),
        running.until('it runs', () => running.stdout !== '').catch(() => undefined),
      ]);
      if (running.child.exitCode === null && running.child.signalCode === null)
        assert.equal(listensOnTcp(running.pid), false);
      running.child.kill('SIGKILL');
    }
  }
});

test('the terminal view: SIGUSR1 does nothing', { timeout: 300_000 }, async (t) => {
  const pane = await Pane.open(100, 30);
  t.after(() => {
    pane.close();
  });
  pane.type(`${PROXTOP} --view --qemu`);
  await pane.until('the view', (screen) => !screen.includes('READY$'));
  const shell = pane.state('pane_pid');
  const children = readFileSync(`/proc/${shell}/task/${shell}/children`, 'latin1')
    .trim()
    .split(' ')
    .map(Number);
  const [pid = -1] = children;
  process.kill(pid, 'SIGUSR1');
  pane.press('h');
  await pane.until('help', (screen) => /key/i.test(screen));
  assert.equal(listensOnTcp(pid), false);
});
