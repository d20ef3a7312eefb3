import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fullPath, networkOf, openInNamespaceOf } from '../../src/guests/qemu/own-namespace.ts';
import { Paths, defaultRoots, descriptorPath } from '../../src/kernel/base/paths.ts';

const paths = new Paths(defaultRoots);
const skip = process.getuid?.() !== 0 && 'needs root (namespaces)';

/** The file that a path of a process opened. */
function opened<T>(pid: number, path: string, look: (path: string) => T): T {
  const fd = openInNamespaceOf(paths, pid, path);
  try {
    return look(descriptorPath(fd));
  } finally {
    closeSync(fd);
  }
}

test('a process in our namespaces', () => {
  assert.deepEqual(networkOf(paths, process.pid), { kind: 'host' });
  assert.equal(opened(process.pid, process.execPath, realpathSync), realpathSync(process.execPath));
  assert.deepEqual(networkOf(paths, 2 ** 30), { kind: 'host' });
});

test('a name without a leading slash is in the directory of the process', async (t) => {
  const child = spawn('sleep', ['60'], { cwd: tmpdir() });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  const pid = child.pid ?? -1;
  assert.equal(opened(pid, '.', realpathSync), realpathSync(tmpdir()));
  assert.equal(fullPath(paths, pid, 'a/../disk.img'), join(realpathSync(tmpdir()), 'disk.img'));
  assert.equal(fullPath(paths, pid, '/a/disk.img'), '/a/disk.img');
  const daemon = spawn('sleep', ['60'], { cwd: '/' });
  t.after(() => daemon.kill('SIGKILL'));
  await once(daemon, 'spawn');
  for (const unknown of [daemon.pid ?? -1, 2 ** 30])
    assert.equal(fullPath(paths, unknown, 'disk.img'), 'disk.img', 'nobody knows where it was');
});

test('a process in namespaces of its own', { skip }, async (t) => {
  const script = 'mount -t tmpfs none /mnt && touch /mnt/a.qmp && echo ready && exec sleep 60';
  const child = spawn('unshare', ['--mount', '--net', 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const pid = child.pid ?? -1;
  assert.ok(opened(pid, '/mnt/a.qmp', (path) => statSync(path).isFile()));
  assert.throws(() => statSync('/mnt/a.qmp'));
  const network = networkOf(paths, pid);
  assert.ok(network.kind === 'namespace');
  assert.match(network.netDev.text() ?? '', /^ *lo:/m);
  // A new network namespace has nothing but the loopback.
  assert.equal(network.netDev.text()?.split('\n').length, 3);
  network.netDev.close();
});
