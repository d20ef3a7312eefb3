import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { openSockets, openTaps } from '../../src/kernel/pid/proc-pid-fd.ts';

const missing = process.getuid?.() !== 0 ? 'root' : !existsSync('/dev/net/tun') ? '/dev/net/tun' : undefined;
const skip = missing !== undefined && `needs ${missing}`;

/** Opens taps as QEMU does and holds them until its input ends. Arguments: names; two descriptors for each. */
const holder = `
import fcntl, os, struct, sys
for name in sys.argv[1:]:
    for queue in range(2):
        fd = os.open('/dev/net/tun', os.O_RDWR)
        fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH22x', name.encode(), 0x0002 | 0x1000 | 0x0100))
        os.set_inheritable(fd, True)
os.open('/dev/net/tun', os.O_RDWR)
print('held', flush=True)
sys.stdin.read()
`;

test('taps that a process holds open, each once however many queues it has', { skip }, async (t) => {
  const names = [`pt${process.pid}b`, `pt${process.pid}a`];
  const child = spawn('python3', ['-c', holder, ...names], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  assert.deepEqual(openTaps(new Paths(defaultRoots), child.pid ?? -1), names.toSorted());
});

test('a process without taps, and one that is gone', () => {
  const paths = new Paths(defaultRoots);
  assert.deepEqual(openTaps(paths, process.pid), []);
  assert.deepEqual(openTaps(paths, 2 ** 30), []);
});

test('a descriptor of another device is not looked at', (t) => {
  const procfs = mkdtempSync(join(tmpdir(), 'proxtop-fd-'));
  t.after(() => {
    rmSync(procfs, { recursive: true });
  });
  // A process cannot be made to hold any descriptor number at will: a tree of files stands for it.
  for (const directory of ['fd', 'fdinfo']) mkdirSync(join(procfs, '7', directory), { recursive: true });
  const descriptor = (fd: number, target: string, info: string): void => {
    symlinkSync(target, join(procfs, `7/fd/${fd}`));
    writeFileSync(join(procfs, `7/fdinfo/${fd}`), info);
  };
  descriptor(3, '/dev/net/tun', 'pos:\t0\nflags:\t0104002\nmnt_id:\t25\nino:\t80\niff:\ttap0\n');
  descriptor(4, '/dev/null', 'pos:\t0\niff:\ttap1\n');
  descriptor(5, '/dev/net/tun', 'pos:\t0\nflags:\t0104002\n');
  symlinkSync('/dev/net/tun', join(procfs, '7/fd/6'));
  assert.deepEqual(openTaps(new Paths({ ...defaultRoots, procfs }), 7), ['tap0']);
});

test('the sockets that a process holds', async (t) => {
  const paths = new Paths(defaultRoots);
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const line = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .find((each) => each.includes(` ${local} 00000000:0000 0A `));
  assert.ok(openSockets(paths, process.pid)?.has(line?.trim().split(/\s+/)[9] ?? ''));
  assert.equal(openSockets(paths, 2 ** 30), undefined);
});
