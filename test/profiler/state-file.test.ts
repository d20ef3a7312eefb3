import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, afterEach, test } from 'node:test';
import type { SavedVm } from '../../src/profiler/profiler.ts';
import { StateFile } from '../../src/profiler/state-file.ts';
import { defaults, profileOf, values } from './support.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'proxtop-state-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const vms: readonly SavedVm[] = [
  { uuid: 'a', key: '1:2', state: profileOf(values('012301')).state },
  { uuid: 'b\n\u2028ü', key: '3:4', state: profileOf([]).state },
];

async function saved(): Promise<StateFile> {
  const file = new StateFile(directory, defaults);
  await file.close(vms);
  return file;
}

/** Checks that the file is put aside for this reason and that saving works again. */
async function unusable(trouble: string | RegExp, settings = defaults): Promise<void> {
  const file = new StateFile(directory, settings);
  const before = readFileSync(file.path);
  const found = file.load();
  assert.deepEqual(found.vms, []);
  assert.match(found.trouble ?? '', typeof trouble === 'string' ? new RegExp(trouble) : trouble);
  assert.deepEqual(readFileSync(`${file.path}.unusable`), before);
  assert.ok(!existsSync(file.path));
  await file.close(vms);
  assert.deepEqual(file.load(), { vms });
}

test('what was saved is loaded', async () => {
  const file = await saved();
  assert.deepEqual(new StateFile(directory, defaults).load(), { vms });
  assert.deepEqual(readdirSync(directory), ['profiles.state'], file.path);
});

test('a missing file is not an error', () => {
  assert.deepEqual(new StateFile(directory, defaults).load(), { vms: [] });
});

test('a damaged file is put aside: cut, changed, empty, no file of ours', async () => {
  const { path } = await saved();
  const text = readFileSync(path, 'utf8');
  for (const damaged of [
    text.slice(0, 100),
    text.slice(0, -50),
    text.replace('"count":6', '"count":7'),
    '',
    'null',
    'nonsense\n',
  ]) {
    writeFileSync(path, damaged);
    await unusable('it is damaged|it has version');
  }
});

test('a file of another version is put aside', async () => {
  const { path } = await saved();
  writeFileSync(path, readFileSync(path, 'utf8').replace('"version":1', '"version":0'));
  await unusable('it has version 0, expected version 1');
});

test('a file made with other settings is put aside', async () => {
  await saved();
  await unusable('it was made with other settings', { ...defaults, states: 5 });
});

test('a crash while writing leaves the file before', async () => {
  const { path } = await saved();
  writeFileSync(`${path}.new`, 'half of it');
  assert.deepEqual(new StateFile(directory, defaults).load(), { vms });
  await saved();
  assert.deepEqual(readdirSync(directory), ['profiles.state']);
});

test('a directory that is gone is an error', async () => {
  const file = new StateFile(join(directory, 'gone'), defaults);
  await assert.rejects(
    file.save(() => vms),
    { code: 'ENOENT' },
  );
});
