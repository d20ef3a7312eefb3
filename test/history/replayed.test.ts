// The built program on a history: every printer, and the view.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { PROXTOP, proxtop } from '../e2e/program.ts';
import { Pane } from '../tui/pane.ts';
import { place, record } from './helpers.ts';

const from = '2026-11-28T02:59:00Z';
/** The samples 7 to 12, each of the host and two VMs. */
const span = ['--from', from, '--to', '+1m'];

for (const [printer, expected] of [
  ['json', { records: /^\{"@timestamp":/gm, count: 6 }],
  ['csv', { records: /^vm,2026-11-28T02:59:\d\d\.002Z,first,/gm, count: 12 }],
  ['influx', { records: /^\S*vm,\S*name=vm1\S* .*cpu_total=/gm, count: 6 }],
  ['text', { records: /^.*\bvm1\b/gm, count: 6 }],
  ['esxtop', { records: /^"11\/28\/2026 \d\d:59:\d\d/gm, count: 6 }],
  ['msgpack', { records: /@timestamp/g, count: 6 }],
] as const)
  test(`a minute of a history as ${printer}`, async (t) => {
    const directory = place(t);
    await record(directory, 3);
    const flags = ['--state-dir', dirname(directory), '--replay', ...span, '-p', printer];
    const { code, stdout, stderr } = await proxtop(flags);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.match(expected.records)?.length, expected.count, stdout.slice(0, 2000));
  });

test('the sample of a time, and a warning where the next one is much later', async (t) => {
  const directory = place(t);
  await record(directory, 3);
  const at = (time: string): ReturnType<typeof proxtop> =>
    proxtop(['--state-dir', dirname(directory), '--at', time, '-p', 'json']);
  const near = await at('2026-11-28T02:59:15Z');
  assert.equal(near.code, 0, near.stderr);
  assert.match(near.stdout, /^\{"@timestamp":"2026-11-28T02:59:20\.002Z"[^\n]*\n$/);
  assert.equal(near.stderr, '');
  const early = await at('2026-11-27T03:00Z');
  assert.equal(early.code, 0, early.stderr);
  assert.match(early.stdout, /^\{"@timestamp":"2026-11-28T02:58:\d\d\.002Z"[^\n]*\n$/);
  assert.match(
    early.stderr,
    /warning +nothing was recorded at 2026-11-27T03:00:00\.000Z: the next sample is from 2026-11-28T02:58:\d\d\.002Z\n$/,
  );
});

test('proxtop worst of the history in the state directory', async (t) => {
  const directory = place(t);
  await record(directory, 3);
  const { code, stdout, stderr } = await proxtop(['worst', '--state-dir', dirname(directory), ...span]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /60 s measured of 60 s, in 6 samples/);
  assert.match(stdout, /%USED \(cpu_total, percent\)\n +VMID .*\n +- +vm1 +9\.5 +12\.0 /);
});

test('the view opens at a time, and jumps to another one', async (t) => {
  const directory = place(t);
  await record(directory, 5);
  const home = mkdtempSync(join(tmpdir(), 'proxtop-home-'));
  const pane = await Pane.open(100, 24, { HOME: home, TZ: 'UTC' });
  t.after(() => {
    pane.close();
    rmSync(home, { recursive: true });
  });
  pane.type(`${PROXTOP} --state-dir ${dirname(directory)} --at 2026-11-28T03:00:20Z`);
  // It plays on at the pace of the recording.
  await pane.until('the sample of then', (screen) => /^ *all .* 03:00:[2-5]0$/m.test(screen));
  pane.press('J');
  await pane.shows('jump to');
  pane.type('2026-11-28T02:58:30Z');
  await pane.until('another one', (screen) => /^ *all .* 02:58:[3-5]0$/m.test(screen));
  pane.press('q');
});
