import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { SlowFiles } from '../../src/guests/slow-files.ts';
import { directory } from '../delivery/helpers.ts';
import { eventually, hangingFile } from './support.ts';

test('reads, lists and looks, and passes on what the file system says', async (t) => {
  const root = directory(t);
  writeFileSync(join(root, 'a'), 'content');
  mkdirSync(join(root, 'b'));
  const files = new SlowFiles(5000);
  assert.equal(await files.read(join(root, 'a')), 'content');
  assert.deepEqual((await files.list(root)).sort(), ['a', 'b']);
  assert.equal((await files.stat(join(root, 'a'))).size, 7);
  await assert.rejects(files.read(join(root, 'c')), { code: 'ENOENT' });
  await assert.rejects(files.read(join(root, 'b')), { code: 'EISDIR' });
  assert.deepEqual(await Promise.all(['a', 'c', 'a/d'].map((name) => files.answers(join(root, name)))), [
    true,
    true,
    true,
  ]);
});

test('a file system that hangs keeps one thread of the pool, refuses the rest at once, and is used again', async (t) => {
  assert.equal(process.env['UV_THREADPOOL_SIZE'], undefined, 'the test counts on a pool of four threads');
  const root = directory(t);
  const [fifo, other, regular] = ['fifo', 'other', 'regular'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(regular, 'content');
  const hanging = hangingFile(t, fifo);
  const files = new SlowFiles(100);

  const [first, ...rest] = await Promise.allSettled([
    files.read(fifo),
    ...Array.from({ length: 8 }, () => files.read(fifo)),
    files.read(regular),
    files.stat(regular),
  ]);
  assert.equal(await files.answers(regular), false);
  const reason = (result: PromiseSettledResult<unknown> | undefined): string =>
    result?.status === 'rejected' ? String(result.reason) : 'fulfilled';
  assert.match(reason(first), /fifo: no answer within 100 ms/);
  for (const result of rest) assert.match(reason(result), /not read, the file system still hangs/);

  // With two more threads that hang one is left, if the nine reads took no more than one.
  const two = hangingFile(t, other);
  const opened = [open(other), open(other)];
  assert.equal((await stat(regular)).size, 7);
  two.answer();
  for (const handle of await Promise.all(opened)) await handle.close();

  hanging.answer();
  await eventually(() =>
    files.read(regular).then(
      (text) => text === 'content',
      () => false,
    ),
  );
});
