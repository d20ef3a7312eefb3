import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sampleNode } from './node.ts';
import { renderings } from './renderings.ts';

const directory = join(import.meta.dirname, 'expected');
/** `make golden` sets it: the files are written anew, and their diff is read. */
const rewrite = process.env['REWRITE_GOLDEN'] === '1';

process.env['TZ'] = 'UTC';

test('every output of two samples of a fixed node is, byte for byte, as it was', async (t) => {
  const all = renderings();
  await sampleNode(t, (sample) => {
    for (const { take } of all) take(sample);
  });
  if (rewrite) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    for (const { file, bytes } of all) writeFileSync(join(directory, file), bytes());
  }
  assert.deepEqual(readdirSync(directory).sort(), all.map(({ file }) => file).sort());
  for (const { file, bytes } of all) {
    await t.test(file, () => {
      const path = join(directory, file);
      const expected = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
      const actual = bytes();
      if (actual.equals(expected)) return;
      // A text shows what differs; bytes that are no text only that they do.
      assert.equal(actual.toString(), expected.toString(), `${file} changed; make golden writes it anew`);
      assert.fail(`${file} changed; make golden writes it anew`);
    });
  }
});
