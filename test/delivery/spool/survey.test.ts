import assert from 'node:assert/strict';
import { cpSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { survey, type Seen } from '../../../src/delivery/ledger/spool/survey.ts';
import { directory } from '../helpers.ts';
import { segmentFiles, TestSpool } from './helpers.ts';

test('a spool is read again only when one of its files has changed', async (t) => {
  const stateDir = directory(t);
  const path = join(stateDir, 'test');
  const filled = new TestSpool(path);
  await filled.spool.append(filled.entries(1, 10));
  await filled.spool.close();
  cpSync(path, join(stateDir, 'other'), { recursive: true, filter: (file) => !file.includes('holder') });
  const position = join(path, 'position');
  const [segment = ''] = segmentFiles(path);
  const then = new Date(1_700_000_000_000);
  for (const file of [position, segment]) utimesSync(file, then, then);
  const seen: Seen = new Map();
  const records = async (known?: Seen): Promise<number[]> =>
    (await survey(stateDir, known)).map(({ parts }) => parts.reduce((sum, part) => sum + part.records, 0));
  assert.deepEqual(await records(seen), [10, 10]);
  // Damage that changes neither size nor time: only who reads the files finds it.
  writeFileSync(position, readFileSync(position).fill(' '));
  const frames = readFileSync(segment);
  writeFileSync(segment, frames.fill(0, frames.length / 2));
  for (const file of [position, segment]) utimesSync(file, then, then);
  assert.deepEqual(await records(seen), [10, 10], 'not read');
  const [, found = NaN] = await records();
  assert.ok(found < 10, `${found} are found by who reads it`);
  utimesSync(segment, then, new Date());
  assert.deepEqual(await records(seen), [10, found], 'read');
  assert.deepEqual([...seen.keys()].sort(), [join(stateDir, 'other'), path]);
});
