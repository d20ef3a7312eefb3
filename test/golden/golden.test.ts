import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sampleNode } from './node.ts';
import { renderings } from './renderings.ts';

const directory = join(import.meta.dirname, 'expected');
/** `make golden` sets it: the files are written again, and their diff is read. */
const rewrite = process.env['REWRITE_GOLDEN'] === '1';

process.env['TZ'] = 'UTC';

/** Where two files begin to differ; undefined where they do not. */
function firstDifference(one: Buffer, other: Buffer): number | undefined {
  if (one.equals(other)) return undefined;
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 ? one.length : at;
}

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
      const at = firstDifference(actual, expected);
      if (at === undefined) return;
      const around = (bytes: Buffer): string => bytes.toString('utf8', Math.max(0, at - 80), at + 80);
      assert.fail(
        `${file} changed at byte ${at}; make golden writes it anew\nwas: ${around(expected)}\nis:  ${around(actual)}`,
      );
    });
  }
});
