import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { describeStatus } from '../../src/cli/status/status.ts';
import {
  reportDirectory,
  reportPath,
  type OutputReport,
  type StatusReport,
} from '../../src/cli/status/report.ts';
import { processIdentity } from '../../src/kernel/process/process-identity.ts';
import { Drops } from '../../src/delivery/ledger/drops.ts';

const now = 1_800_000_000_000;

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'proxtop-status-'));
  t.after(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

function output(change: Partial<OutputReport> = {}): OutputReport {
  return {
    name: 'logs',
    state: 'up',
    queued: 0,
    queuedBytes: 0,
    spooled: 0,
    spooledBytes: 0,
    unconfirmed: 0,
    oldest: undefined,
    sent: 10,
    resent: 0,
    dropped: 0,
    droppedBy: new Drops().by,
    reconnects: 0,
    lastError: undefined,
    ...change,
  };
}

function write(path: string, outputs: readonly OutputReport[], change: Partial<StatusReport> = {}): void {
  const { pid } = process;
  const identity = processIdentity(pid) ?? '';
  const report = {
    program: 'proxtop',
    version: '1.2.3',
    pid,
    identity,
    started: now - 3_600_000,
    updated: now - 1000,
    outputs,
  };
  writeFileSync(reportPath(path, change.pid ?? pid), JSON.stringify({ ...report, ...change }));
}

test('a healthy one', (t) => {
  const path = directory(t);
  write(path, [output()], { config: '/etc/proxtop.conf' });
  assert.deepEqual(describeStatus(path, now), {
    text:
      `proxtop 1.2.3, process ${process.pid}, up 60 min, /etc/proxtop.conf: healthy\n` +
      '  OUTPUT  STATE  QUEUED   SPOOLED  OLDEST  UNCONFIRMED  SENT  RESENT  DROPPED  RECONNECTS\n' +
      '  logs    up     0 (0 B)  0 (0 B)  -       0            10    0       0        0\n',
    exitCode: 0,
  });
});

test('one with an output that is down', (t) => {
  const path = directory(t);
  const droppedBy = { ...new Drops().by, queue_full: 3, damaged: 2 };
  const lastError = 'no connection to logs:1: ECONNREFUSED';
  const down = {
    state: 'down',
    queued: 5,
    queuedBytes: 2048,
    spooled: 900,
    spooledBytes: 5 << 20,
    unconfirmed: 7,
  } as const;
  write(path, [
    output({ ...down, oldest: now - 90_000, dropped: 5, droppedBy, lastError, lastDrop: now - 120_000 }),
    output({ name: 'file' }),
  ]);
  const { text, exitCode } = describeStatus(path, now);
  assert.equal(exitCode, 3);
  assert.match(text, /up 60 min: degraded: logs is down\n/);
  assert.match(text, /^ {2}logs +down +5 \(2\.0 KiB\) +900 \(5\.0 MiB\) +90 s +7 +10 +0 +5 +0$/m);
  assert.match(text, /^ {2}logs dropped: 3 queue_full, 2 damaged$/m);
  assert.match(text, /^ {2}logs last error: no connection to logs:1: ECONNREFUSED$/m);
});

test('one that gives up records, one that is not there yet, one that hangs', (t) => {
  for (const [outputs, change, expected] of [
    [[output({ lastDrop: now - 5000 })], {}, 'logs gives up records'],
    [[output({ state: 'connecting' })], {}, 'logs is connecting'],
    [[output()], { updated: now - 60_000 }, 'it hangs: no report for 60 s'],
  ] as const) {
    const path = directory(t);
    write(path, outputs, change);
    const { text, exitCode } = describeStatus(path, now);
    assert.equal(exitCode, 3);
    assert.ok(text.includes(`: degraded: ${expected}\n`), text);
  }
});

test('several are told apart, and one that is degraded decides', async (t) => {
  const path = directory(t);
  write(path, [output()]);
  const other = spawn('sleep', ['60']);
  t.after(() => other.kill());
  await once(other, 'spawn');
  const pid = other.pid ?? 0;
  write(path, [output({ state: 'down' })], {
    pid,
    identity: processIdentity(pid) ?? '',
    started: now - 5000,
  });
  const { text, exitCode } = describeStatus(path, now);
  assert.equal(exitCode, 3);
  assert.deepEqual(
    [...text.matchAll(/process (\d+), up (.+?): (\w+)/g)].map(([, ...parts]) => parts),
    [
      [String(process.pid), '60 min', 'healthy'],
      [String(pid), '5 s', 'degraded'],
    ],
  );
  // A killed one leaves its file behind; another process may have its number by now.
  write(path, [output({ state: 'down' })], { pid, identity: `${pid} 1 x` });
  assert.equal(describeStatus(path, now).exitCode, 0);
});

test('what a receiver said is printable, short and on one line', (t) => {
  const path = directory(t);
  const lastError = `HTTP 400: \u001b]0;pwned\u0007\u009b2J\u202e\nproxtop 9, process 1: healthy${'x'.repeat(1e6)}`;
  write(path, [output({ name: 'a\u001b[2J', lastError })], { config: '/etc/\u001b.conf' });
  const { text } = describeStatus(path, now);
  assert.equal(text.split('\n').length, 5, text);
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.ok(text.length < 1000, `${text.length} characters`);
});

test('none runs', (t) => {
  const path = directory(t);
  const expected = {
    text: `no proxtop is running: no status report in ${path}\n`,
    exitCode: 1,
  };
  assert.deepEqual(describeStatus(path, now), expected);
  writeFileSync(join(path, '1.status'), '{"pid":1');
  assert.deepEqual(describeStatus(path, now), expected);
  const missing = join(path, 'none');
  assert.match(describeStatus(missing, now).text, /no status report in .*none\n$/);
  writeFileSync(join(path, 'file'), '');
  assert.match(describeStatus(join(path, 'file'), now).text, /^no proxtop is running: ENOTDIR/);
});

test('the directory is that of systemd, else below the runtime directory', () => {
  assert.equal(reportDirectory({}, '/run'), '/run/proxtop');
  assert.equal(reportDirectory({ RUNTIME_DIRECTORY: '/run/a:/run/b' }, '/run'), '/run/a');
});
