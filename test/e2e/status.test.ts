import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, Receiver, until } from '../delivery/helpers.ts';

const program = fileURLToPath(new URL('../../dist/proxtop', import.meta.url));
const skip = !existsSync(program) && 'needs dist/proxtop (npm run build)';

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'proxtop-e2e-'));
  t.after(() => {
    rmSync(path, { recursive: true, force: true });
  });
  mkdirSync(join(path, 'run'));
  return path;
}

function start(t: TestContext, root: string, port: number, extra = ''): ChildProcess {
  const config = join(root, 'proxtop.conf');
  writeFileSync(
    config,
    `frequency = 0.2\nrundir = ${join(root, 'run')}\nstate_dir = ${join(root, 'state')}\n` +
      `[output.logs]\ntype = tcp\ntarget = 127.0.0.1:${port}\nspool = true\n${extra}`,
  );
  const child = spawn(process.execPath, [program, '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

function status(root: string): { code: number | null; text: string; errors: string } {
  const args = [program, 'status', '--rundir', join(root, 'run')];
  const { status: code, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { code, text: stdout, errors: stderr };
}

async function untilStatus(root: string, code: number, text: RegExp): Promise<string> {
  const end = performance.now() + 15_000;
  for (;;) {
    const answer = status(root);
    if (answer.code === code && text.test(answer.text)) return answer.text;
    assert.ok(performance.now() < end, JSON.stringify(answer));
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test('status of a running daemon: degraded, healthy, gone', { skip }, async (t) => {
  const root = directory(t);
  const none = status(root);
  assert.equal(none.code, 1);
  assert.match(none.errors, /^no proxtop is running: no status report in .*\/run\/proxtop\n$/);
  const port = await freePort();
  const first = start(t, root, port);
  const down = await untilStatus(root, 3, /logs is down/);
  assert.match(down, new RegExp(`process ${first.pid}, up \\d+ s, ${join(root, 'proxtop.conf')}: degraded`));
  assert.match(down, /logs last error: no connection to 127\.0\.0\.1:\d+: connect ECONNREFUSED/);
  // Its samples wait on disk.
  await untilStatus(root, 3, /logs +down .*\) +\d+ \([\d.]+ KiB\) +\d+ s +0 /);
  const receiver = new Receiver(t);
  await receiver.start(port);
  await untilStatus(root, 0, /: healthy\n/);
  first.kill('SIGKILL');
  await once(first, 'close');
  assert.equal(status(root).code, 1);
  // An orderly end leaves nothing behind.
  const second = start(t, root, port);
  await untilStatus(root, 0, /: healthy\n/);
  second.kill('SIGTERM');
  const [code] = (await once(second, 'close')) as [number];
  assert.equal(code, 0);
  assert.equal(status(root).code, 1);
  assert.ok(!readdirSync(join(root, 'run/proxtop')).includes(`${second.pid}.status`));
});

test('a second daemon on the spool of the first refuses to run', { skip }, async (t) => {
  const root = directory(t);
  const port = await freePort();
  const first = start(t, root, port);
  await untilStatus(root, 3, /logs is down/);
  const second = start(t, root, port);
  let errors = '';
  second.stderr!.on('data', (data: Buffer) => (errors += data.toString()));
  const [code] = (await once(second, 'close')) as [number];
  assert.equal(code, 1);
  assert.match(
    errors,
    new RegExp(`the spool ${join(root, 'state/logs')} is used by another proxtop, process ${first.pid}`),
  );
});

test('what one run spools at its end the next one delivers, with its time and run', { skip }, async (t) => {
  const root = directory(t);
  const port = await freePort();
  const first = start(t, root, port);
  await untilStatus(root, 3, /logs +down .*\) +(?:[5-9]|\d\d+) \(/);
  first.kill('SIGTERM');
  await once(first, 'close');
  const stopped = Date.now();
  const receiver = new Receiver(t);
  await receiver.start(port);
  const second = start(t, root, port);
  await untilStatus(root, 0, /: healthy\n/);
  // It may be healthy before its first sample.
  const runs = (): Set<string> =>
    new Set(
      [
        ...receiver
          .received(0)
          .toString()
          .matchAll(/"run":"([^"]+)"/g),
      ].map(([, run]) => run!),
    );
  await until(() => runs().size === 2, 'samples of both runs', 60_000);
  second.kill('SIGTERM');
  await once(second, 'close');
  const lines = receiver.received(0).toString().trimEnd().split('\n');
  const samples = lines.map((line) => JSON.parse(line) as { '@timestamp': string; run: string; seq: number });
  const old = samples.filter((sample) => Date.parse(sample['@timestamp']) < stopped);
  assert.ok(old.length >= 5);
  assert.deepEqual(
    old.map(({ seq }) => seq),
    old.map((_, index) => index + 1),
  );
  assert.equal(new Set(samples.map(({ run }) => run)).size, 2);
});
