import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  openOwnFile,
  openToAppend,
  OthersMayWriteError,
  ownDirectory,
  readOwnFile,
  requireOwnDirectory,
  requireOwnPlace,
} from '../../src/delivery/shared/own-files.ts';
import { directory } from './helpers.ts';

const NOBODY = 65534;
const skip = process.getuid?.() !== 0 && 'needs root, to have files of others';

async function append(path: string): Promise<void> {
  const fd = await openToAppend(path, 0o640);
  writeSync(fd, 'record\n');
  closeSync(fd);
}

test('a directory of our own, below sticky ones', (t) => {
  const own = directory(t);
  requireOwnDirectory(own);
  requireOwnDirectory(`${own}/./`);
  assert.throws(() => {
    requireOwnDirectory(join(own, 'none'));
  }, /ENOENT/);
});

test('a directory that others may write to, or exchange', { skip }, async (t) => {
  const own = directory(t);
  const inner = join(own, 'inner');
  mkdirSync(inner);
  symlinkSync(inner, join(own, 'link'));
  const faults: readonly (readonly [uid: number, gid: number, mode: number])[] = [
    [NOBODY, 0, 0o755],
    [0, 0, 0o757],
    [0, NOBODY, 0o775],
    [0, 0, 0o1777],
  ];
  for (const [uid, gid, mode] of faults) {
    chownSync(inner, uid, gid);
    chmodSync(inner, mode);
    const said = new RegExp(
      `other users can write to .*inner \\(owner ${uid}, mode ${mode.toString(8).padStart(4, '0')}\\)`,
    );
    for (const path of [inner, join(own, 'link')]) {
      for (const check of [requireOwnDirectory, requireOwnPlace])
        assert.throws(() => {
          check(path);
        }, said);
      await assert.rejects(ownDirectory(path), said);
    }
  }
  chownSync(inner, 0, 0);
  chmodSync(inner, 0o775);
  requireOwnDirectory(inner);
  chmodSync(own, 0o777);
  assert.throws(() => {
    requireOwnDirectory(inner);
  }, /other users can write to .*mode 0777/);
});

test('a file that is read is ours, and no link, pipe or giant', { skip }, (t) => {
  const own = directory(t);
  const path = (name: string): string => join(own, name);
  writeFileSync(path('file'), 'content');
  assert.equal(readOwnFile(path('file'), 7).toString(), 'content');
  assert.throws(() => readOwnFile(path('file'), 6), /found 7 bytes, expected at most 6/);
  symlinkSync('file', path('link'));
  assert.throws(() => readOwnFile(path('link'), 100), /ELOOP/);
  execFileSync('mkfifo', [path('pipe')]);
  assert.throws(() => readOwnFile(path('pipe'), 100), /it is not a regular file/);
  assert.throws(() => readOwnFile(own, 100), /it is not a regular file/);
  chownSync(path('file'), NOBODY, NOBODY);
  assert.throws(() => readOwnFile(path('file'), 100), /it belongs to user 65534/);
});

test("where others may write, output goes into no link and no stranger's file", { skip }, async (t) => {
  const own = directory(t);
  const open = join(own, 'open');
  mkdirSync(open);
  writeFileSync(join(own, 'precious'), '');
  for (const [name, make] of Object.entries({
    link: (path: string) => {
      symlinkSync('../precious', path);
    },
    dangling: (path: string) => {
      symlinkSync('../made', path);
    },
    strangers: (path: string) => {
      writeFileSync(path, '');
      chownSync(path, NOBODY, NOBODY);
    },
  })) {
    const path = join(open, name);
    chmodSync(open, 0o755);
    make(path);
    await append(path);
    chmodSync(open, 0o777);
    await assert.rejects(append(path), /other users can write to .*open/);
    assert.equal(
      readFileSync(path, 'utf8'),
      'record\n',
      'only what was written while the directory was ours',
    );
  }
  await append(join(open, 'new'));
  assert.equal(statSync(join(open, 'new')).mode & 0o777, 0o640);
  assert.ok(lstatSync(join(open, 'link')).isSymbolicLink());
  assert.ok(existsSync(join(own, 'made')));
  // Devices and pipes are whoever's they are.
  closeSync(await openToAppend('/dev/null', 0o640));
});

test('a directory that is still to be made: those above it keep others out', { skip }, (t) => {
  const own = directory(t);
  const place = join(own, 'new', 'er');
  requireOwnPlace(place);
  chmodSync(own, 0o1777);
  requireOwnPlace(place);
  chmodSync(own, 0o777);
  assert.throws(() => {
    requireOwnPlace(place);
  }, OthersMayWriteError);
});

test('a file of our own, opened in the background', { skip }, async (t) => {
  const own = directory(t);
  const path = (name: string): string => join(own, name);
  const { O_CREAT, O_RDONLY, O_RDWR } = constants;
  const handle = await openOwnFile(path('file'), O_RDWR | O_CREAT);
  await handle.close();
  assert.equal(statSync(path('file')).mode & 0o7777, 0o600);
  symlinkSync('file', path('link'));
  await assert.rejects(openOwnFile(path('link'), O_RDONLY), /ELOOP/);
  execFileSync('mkfifo', [path('pipe')]);
  for (const name of ['pipe', '.'])
    await assert.rejects(openOwnFile(path(name), O_RDONLY), /it is not a regular file/);
  chownSync(path('file'), NOBODY, NOBODY);
  await assert.rejects(openOwnFile(path('file'), O_RDONLY), /it belongs to user 65534/);
});
