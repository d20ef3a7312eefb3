import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFile } from '../../src/kernel/base/kernel-file.ts';
import { parseNumberAt } from '../../src/kernel/base/number-file.ts';
import { ReadBatch } from '../../src/kernel/base/read.ts';
import { Schedstat, parsePidSchedstat } from '../../src/kernel/pid/proc-pid-schedstat.ts';
import { valuesOf } from './support.ts';

const ROOM = 16;

/** Makes files in a directory of the test. */
function filesIn(t: TestContext): (name: string, content: string) => KernelFile {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-read-batch-'));
  t.after(() => {
    rmSync(directory, { recursive: true });
  });
  return (name, content) => {
    const path = join(directory, name);
    writeFileSync(path, content);
    const file = new KernelFile(path);
    t.after(() => {
      file.close();
    });
    return file;
  };
}

const holder = { value: NaN };
const parse = (cursor: Cursor, into: typeof holder, path: string): void => {
  into.value = parseNumberAt(cursor, path);
};

test('what is parsed is what the files held when they were read, of more than there was room for at first', (t) => {
  const make = filesIn(t);
  const files = Array.from({ length: 200 }, (_, index) => make(`f${index}`, `${index}\n`));
  const batch = new ReadBatch(ROOM);
  for (let cycle = 0; cycle < 2; cycle++) {
    batch.begin();
    const before = performance.now();
    const numbers = files.map((file) => batch.add(file));
    const after = performance.now();
    for (const file of files) writeFileSync(file.path, '77777777\n');
    for (const [index, file] of files.entries()) {
      assert.ok(batch.parse(numbers[index] ?? NaN, file, parse, holder));
      assert.equal(holder.value, index);
      const time = batch.time(numbers[index] ?? NaN);
      assert.ok(before <= time && time <= after);
    }
    for (const [index, file] of files.entries()) writeFileSync(file.path, `${index}\n`);
  }
});

test('a file that does not fit is read whole, one that is not there gives nothing', (t) => {
  const make = filesIn(t);
  const long = make('long', `${'0'.repeat(ROOM)}123\n`);
  const missing = new KernelFile('/proc/self/no-such-file');
  const batch = new ReadBatch(ROOM);
  const numbers = [long, missing, make('last', '5\n')].map((file) => batch.add(file));
  assert.ok(batch.parse(numbers[0] ?? NaN, long, parse, holder));
  assert.equal(holder.value, 123);
  assert.equal(batch.parse(numbers[1] ?? NaN, missing, parse, holder), false);
  assert.equal(missing.trouble, 'gone');
});

test('an empty or broken file is refused, whatever its neighbours are, and the message shows only its own text', (t) => {
  const make = filesIn(t);
  const batch = new ReadBatch(ROOM);
  const messages: string[] = [];
  const note = (message: unknown): void => {
    messages.push((message as { message: string }).message);
  };
  subscribe('proxtop.kernel.file', note);
  t.after(() => {
    unsubscribe('proxtop.kernel.file', note);
  });
  const first = make('first', '1234567 22222 3\n');
  const broken = [make('empty', ''), make('short', '4 5\n'), make('cut', '6 7 8')];
  const last = make('last', '9 9 9\n');
  const files = [first, ...broken, last];
  const numbers = files.map((file) => batch.add(file));
  const record = new Schedstat();
  for (const [index, file] of files.entries()) {
    const isRead = batch.parse(numbers[index] ?? NaN, file, parsePidSchedstat, record);
    assert.equal(isRead, !broken.includes(file), file.path);
    if (file === first) assert.deepEqual(valuesOf(record.counters), [1_234_567, 22_222, 3]);
  }
  assert.equal(messages.length, broken.length);
  for (const message of messages) assert.doesNotMatch(message, /1234567|9 9/);
});
