import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KernelFile, readOnce } from '../../src/kernel/base/kernel-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'proxtop-kernel-file-'));
after(() => {
  rmSync(directory, { recursive: true });
});

const root = process.getuid?.() === 0;

/** How many of our descriptors are open on `path`. */
function openOn(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false; // The descriptor of readdir itself.
    }
  }).length;
}

test('a second read through the same descriptor sees what is new', () => {
  const path = `/proc/${process.pid}/comm`;
  const file = new KernelFile(path);
  const title = readFileSync(path, 'utf8');
  assert.equal(file.bytes.toString('utf8', 0, file.read()), title);
  writeFileSync(path, 'renamed');
  assert.equal(file.text(), 'renamed');
  assert.equal(openOn(path), 1);
  writeFileSync(path, title.trim());
  file.close();
  assert.equal(openOn(path), 0);
});

test('a process that ends is gone, its descriptor is released, and it is never asked again', async (t) => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const path = `/proc/${String(child.pid)}/stat`;
  const file = new KernelFile(path);
  assert.ok(file.read() > 0);
  assert.equal(openOn(path), 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(file.read(), -1);
  assert.equal(file.trouble, 'gone');
  assert.equal(openOn(path), 0);
  assert.equal(file.read(), -1);
  // A day later another process may have the pid. That is too rare to be had: the path is that of a file that is there.
  t.mock.method(performance, 'now', () => 86_400_000);
  Object.assign(file, { path: '/proc/self/stat' });
  assert.equal(file.read(), -1);
});

test('says why a file cannot be read', () => {
  const reasons = [
    ['/proc/999999999/stat', 'gone'],
    [join(directory, 'missing'), 'gone'],
    [directory, 'broken'],
  ] as const;
  for (const [path, trouble] of reasons) {
    const file = new KernelFile(path);
    assert.equal(file.read(), -1);
    assert.equal(file.trouble, trouble, path);
    assert.equal(file.text(), undefined);
    assert.equal(readOnce(path), undefined);
  }
});

test('is denied without rights', { skip: root ? false : 'needs root to become another user' }, () => {
  // The file of a root process, read by a user who may not: in a process of its own, since rights are per process.
  const script = `
    import { KernelFile } from '${join(import.meta.dirname, '../../src/kernel/base/kernel-file.ts')}';
    const file = new KernelFile('/proc/${process.pid}/io');
    console.log(file.read(), file.trouble);`;
  const tsx = import.meta.resolve('tsx');
  const printed = execFileSync(
    'setpriv',
    [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      process.execPath,
      '--import',
      tsx,
      '--input-type=module',
      '-e',
      script,
    ],
    { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: directory, TSX_DISABLE_CACHE: '1' } },
  );
  assert.equal(printed.trim(), '-1 denied');
});

test('close lets the next read reopen the file', () => {
  const path = join(directory, 'later');
  const file = new KernelFile(path);
  assert.equal(file.read(), -1);
  writeFileSync(path, 'here\n');
  assert.equal(file.read(), -1);
  file.close();
  assert.equal(file.text(), 'here');
  file.close();
});

test('a file that could not be read is tried again after a minute, not before', (t) => {
  let time = 5000;
  t.mock.method(performance, 'now', () => time);
  t.mock.method(Math, 'random', () => 0);
  const path = join(directory, 'module');
  const file = new KernelFile(path);
  assert.deepEqual([file.read(), file.trouble], [-1, 'gone']);
  writeFileSync(path, 'loaded\n');
  time += 59_999;
  assert.deepEqual([file.read(), file.trouble], [-1, 'gone']);
  time += 1;
  assert.deepEqual([file.text(), file.trouble], ['loaded', undefined]);
  file.close();
});

test('a file that descriptors were short for is read as soon as there are some', () => {
  // In a process of its own, for that has none left for a moment.
  const script = `
    import { openSync, closeSync } from 'node:fs';
    import { KernelFile } from '${join(import.meta.dirname, '../../src/kernel/base/kernel-file.ts')}';
    const file = new KernelFile('/proc/uptime');
    const open = [];
    try { for (;;) open.push(openSync('/dev/null')); } catch {}
    const first = [file.read(), file.trouble];
    for (const fd of open) closeSync(fd);
    console.log(...first, file.read() > 0, file.trouble);`;
  const node = [
    process.execPath,
    '--import',
    import.meta.resolve('tsx'),
    '--input-type=module',
    '-e',
    script,
  ];
  const printed = execFileSync('prlimit', ['--nofile=100:100', ...node], { encoding: 'utf8' });
  assert.equal(printed.trim(), '-1 undefined true undefined');
});

const cgroups = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((root) =>
  existsSync(join(root, 'cgroup.pressure')),
);

test(
  'the pressure of a cgroup that is switched off and on again is read again',
  { skip: root && cgroups !== undefined ? false : 'needs root and a cgroup2 with cgroup.pressure' },
  (t) => {
    let time = 0;
    t.mock.method(performance, 'now', () => time);
    const group = mkdtempSync(join(String(cgroups), 'proxtop-test-'));
    try {
      const file = new KernelFile(join(group, 'cpu.pressure'));
      assert.match(file.text() ?? '', /^some avg10/);
      writeFileSync(join(group, 'cgroup.pressure'), '0');
      assert.equal(file.read(), -1);
      time = 80_000;
      assert.equal(file.read(), -1);
      writeFileSync(join(group, 'cgroup.pressure'), '1');
      time = 160_000;
      assert.match(file.text() ?? '', /^some avg10/);
      file.close();
    } finally {
      rmdirSync(group);
    }
  },
);

test('a list that is read once is read whole', () => {
  // kallsyms is handed out in pieces, as cpuinfo is; this machine may have too few CPUs for that to be seen.
  assert.equal(readOnce('/proc/kallsyms'), readFileSync('/proc/kallsyms', 'utf8').trim());
});

test('a file larger than the buffer is read whole, also when it stops at a multiple of it', () => {
  for (const size of [1, 65535, 65536, 65537, 131072, 300000]) {
    const path = join(directory, 'large');
    const content = Buffer.alloc(size, 'x');
    content[size - 1] = 0x79;
    writeFileSync(path, content);
    for (const records of [false, true]) {
      const file = new KernelFile(path, records);
      assert.equal(file.read(), size);
      assert.ok(file.bytes.subarray(0, size).equals(content));
      file.close();
    }
  }
});

test('files that the kernel hands out in pieces are read whole', () => {
  // kallsyms is a list of some MB; one read gives a page of it.
  const file = new KernelFile('/proc/kallsyms', true);
  const length = file.read();
  assert.ok(length > 65536);
  assert.ok(file.bytes.subarray(0, length).equals(readFileSync('/proc/kallsyms')));
  file.close();
});

test(
  'net/dev with hundreds of interfaces is read whole',
  { skip: namespaces() ? false : 'no network namespaces here' },
  async () => {
    const COUNT = 300;
    const child = spawn('unshare', ['--net', 'sh', '-c', 'ip -batch - && echo ready && exec sleep 60']);
    try {
      for (let i = 0; i < COUNT; i++) child.stdin.write(`link add tap${1000 + i}i0 type ifb\n`);
      child.stdin.end();
      await once(child.stdout, 'data');
      const path = `/proc/${String(child.pid)}/net/dev`;
      const file = new KernelFile(path, true);
      const text = file.bytes.toString('utf8', 0, file.read());
      file.close();
      const listed = execFileSync('awk', ['/tap/ { n++ } END { print n }', path], { encoding: 'utf8' });
      assert.equal(listed.trim(), String(COUNT));
      assert.equal(text.match(/tap1\d{3}i0:/g)?.length, COUNT);
      assert.ok(text.length > 2 * 4096);
    } finally {
      child.kill();
    }
  },
);

function namespaces(): boolean {
  try {
    execFileSync('unshare', ['--net', 'ip', 'link', 'add', 'probe0', 'type', 'ifb'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
