import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openInside, openName } from '../../src/kernel/base/path-inside.ts';
import { descriptorPath } from '../../src/kernel/base/paths.ts';

/** What a path opened, by its real path. */
function found(fd: number): string {
  const path = readlinkSync(descriptorPath(fd));
  closeSync(fd);
  return path;
}

function readIfThere(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

test('links of another root directory lead to nothing outside of it', (t) => {
  const outside = mkdtempSync(join(tmpdir(), 'proxtop-inside-'));
  t.after(() => {
    rmSync(outside, { recursive: true });
  });
  const root = join(outside, 'root');
  mkdirSync(join(root, 'run/vm'), { recursive: true });
  mkdirSync(join(root, 'var'));
  for (const file of ['secret', 'root/run/vm/qmp', 'root/secret']) writeFileSync(join(outside, file), '');
  symlinkSync('/run', join(root, 'var/run'));
  symlinkSync('vm', join(root, 'run/relative'));
  symlinkSync(outside, join(root, 'absolute'));
  symlinkSync('..', join(root, 'up'));
  symlinkSync('loop', join(root, 'loop'));
  symlinkSync('/secret', join(root, 'last'));
  const cwd = join(root, 'run');
  const open = (path: string): string => found(openInside(root, cwd, path));
  for (const path of ['/run/vm/qmp', '/var/run/vm/qmp', '/run/relative/qmp', 'vm/qmp', './relative//qmp'])
    assert.equal(open(path), join(root, 'run/vm/qmp'), path);
  assert.equal(open('/'), root);
  assert.equal(open('/last'), join(root, 'last'), 'the link itself');
  assert.equal(open('/secret'), join(root, 'secret'));
  assert.throws(() => open('/absolute/secret'), /ENOENT/);
  for (const path of ['../secret', '/../secret', '/up/secret'])
    assert.throws(() => open(path), /paths with \.\./, path);
  assert.throws(() => open('/loop/a'), /too many symbolic links/);
  assert.throws(() => open('/run/vm/qmp/a'), /ENOTDIR/);
  const links = readdirSync('/proc/self/fd').map((fd) => readIfThere(`/proc/self/fd/${fd}`));
  assert.deepEqual(
    links.filter((link) => link?.startsWith(outside)),
    [],
    'no descriptor is left',
  );
});

test('a link that is only named is not followed', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-inside-'));
  t.after(() => {
    rmSync(directory, { recursive: true });
  });
  symlinkSync('/etc/passwd', join(directory, 'link'));
  assert.equal(found(openName(join(directory, 'link'))), join(directory, 'link'));
});
