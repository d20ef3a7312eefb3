import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { EVERYTHING, Stream } from '../e2e/program.ts';
import type { Cycle, Row } from '../e2e/program.ts';
import { missingForLab } from '../lab/lab.ts';
import { listens, until } from '../lab/processes.ts';
import { NOBODY, directoryOf, fakeKvm } from './attackers.ts';

const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const options = { skip, timeout: 240_000 };

/** A real VM of root's in a directory that nobody else may enter. @returns its pid and the path of its monitor */
async function realVm(
  t: TestContext,
  path: string,
  disk = 'driver=null-co,size=1M',
): Promise<{ readonly pid: number; readonly path: string }> {
  const directory = directoryOf(t, 0);
  chmodSync(directory, 0o700);
  const args = ['-nodefaults', '-display', 'none', '-S', '-accel', 'tcg,tb-size=8', '-m', '32'];
  const drive = ['-drive', `${disk},if=none,id=root`, '-device', 'virtio-blk-pci,drive=root'];
  const qemu = spawn(
    'qemu-system-x86_64',
    [...args, ...drive, '-name', 'real', '-qmp', `unix:${path.replace('DIR', directory)},server=on,wait=off`],
    { cwd: directory, stdio: 'ignore' },
  );
  t.after(() => qemu.kill('SIGKILL'));
  await once(qemu, 'spawn');
  const bound = path.replace('DIR', directory);
  await until('its monitor listens', () => listens(bound));
  return { pid: qemu.pid ?? -1, path: join(directory, path.replace('DIR/', '')) };
}

/** Cycles of a proxtop that asks the monitors each time, from the first one with an answer of the real VM on. */
async function watch(t: TestContext, pid: number, count: number): Promise<readonly Cycle[]> {
  const stream = Stream.start(['--qemu', '--frequency=0.5', '--detail-interval=0.5', ...EVERYTHING]);
  t.after(() => stream.child.kill('SIGKILL'));
  const first = await stream.next(
    'the real VM answers',
    (cycle) => rowOf(cycle, pid)?.['state'] !== undefined,
  );
  const last = await stream.first('some samples', ({ seq }) => seq >= first.seq + count);
  const { code, stderr } = await stream.stop();
  assert.equal(code, 0, stderr);
  return stream.between(first, last);
}

function rowOf(cycle: Cycle, pid: number): Row | undefined {
  return cycle.domains.find((row) => row['pid'] === String(pid));
}

test("processes of a user that name a real VM's monitor neither blind it nor see it", options, async (t) => {
  const real = await realVm(t, 'DIR/real.qmp');
  const directory = directoryOf(t, NOBODY);
  symlinkSync(real.path, join(directory, 'link'));
  const fakes = [];
  for (let n = 0; n < 30; n++) {
    const path = [real.path, join(directory, 'link'), 'link'][n % 3] ?? '';
    fakes.push(await fakeKvm(t, directory, ['-name', 'real', '-qmp', `unix:${path},server=on`]));
  }
  const cycles = await watch(t, real.pid, 10);
  for (const cycle of cycles) {
    const row = rowOf(cycle, real.pid);
    assert.equal(row?.['state'], 'prelaunch');
    assert.equal(row['qmp'], undefined);
    assert.deepEqual(
      row.disks?.map(({ device }) => device),
      ['root'],
    );
    for (const fake of fakes) {
      const other = rowOf(cycle, fake);
      assert.equal(other?.['state'], undefined);
      assert.deepEqual(other?.disks ?? [], []);
    }
  }
});

test('nobody gets us to connect to a socket that is not of that user', options, async (t) => {
  const real = await realVm(t, 'DIR/real.qmp');
  const place = directoryOf(t, 0);
  chmodSync(place, 0o700);
  const path = join(place, 'service');
  let connections = 0;
  const service = createServer((socket) => {
    connections++;
    socket.destroy();
  }).listen(path);
  t.after(() => service.close());
  await once(service, 'listening');
  const directory = directoryOf(t, NOBODY);
  symlinkSync(path, join(directory, 'link'));
  symlinkSync(place, join(directory, 'place'));
  for (const name of [
    path,
    join(directory, 'link'),
    'link',
    'place/service',
    join(directory, 'place/service'),
  ])
    await fakeKvm(t, directory, ['-qmp', `unix:${name},server=on`]);
  await watch(t, real.pid, 6);
  assert.equal(connections, 0);
});

test(
  'a connection under the same path elsewhere does not make a monitor count as held',
  options,
  async (t) => {
    const real = await realVm(t, 'real.qmp');
    const directory = directoryOf(t, NOBODY);
    // Binds the same relative path, connects to it, and has a socket whose name looks like a line of /proc/net/unix.
    const script = `
import os, socket, sys, time
servers = [socket.socket(socket.AF_UNIX) for _ in range(2)]
for server, path in zip(servers, ('real.qmp', 'x\\n0000000000000000: 00000003 00000000 00000000 0001 03 1 real.qmp')):
    server.bind(path)
    server.listen()
client = socket.socket(socket.AF_UNIX)
client.connect('real.qmp')
served, _ = servers[0].accept()
waiting = socket.socket(socket.AF_UNIX)
waiting.connect('real.qmp')
print('ready', flush=True)
time.sleep(300)`;
    const fake = spawn('python3', ['-c', script], {
      cwd: directory,
      uid: NOBODY,
      gid: NOBODY,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => fake.kill('SIGKILL'));
    await once(fake.stdout, 'data');
    for (const cycle of await watch(t, real.pid, 6)) assert.equal(rowOf(cycle, real.pid)?.['qmp'], undefined);
  },
);

test('processes that come and go do not fill the log', options, async (t) => {
  const directory = directoryOf(t, NOBODY);
  for (let n = 0; n < 150; n++)
    await fakeKvm(t, directory, ['-name', `fake${n}`, '-qmp', `unix:${directory}/${n},server=on`]);
  const stream = Stream.start(['--qemu', '--frequency=0.5', '--detail-interval=0.5', '--disk']);
  t.after(() => stream.child.kill('SIGKILL'));
  const last = 'further messages about monitors are suppressed for a minute';
  await stream.until('the log says that it says no more', () => stream.stderr.includes(last));
  await stream.next();
  await stream.stop();
  const lines = stream.stderr.split('\n').filter((line) => line.includes('QMP values are omitted'));
  assert.equal(lines.length, 100);
});

/** A file system whose server never answers, not even at first: any access to it blocks. */
const hangingMount = `
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
fuse = os.open('/dev/fuse', os.O_RDWR)
options = f'fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other'.encode()
if libc.mount(b'hangs', sys.argv[1].encode(), b'fuse', 0, options) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
print('mounted', flush=True)
sys.stdin.read()`;

/** A monitor of nobody's with one disk: a fake, because no QEMU could start with an image that hangs. */
const fakeMonitor = `
import json, socket
server = socket.socket(socket.AF_UNIX)
server.bind('own.qmp')
server.listen()
print('ready', flush=True)
disk = {'device': 'drive-root', 'qdev': 'root', 'node-name': 'n', 'stats': {'rd_operations': 1}}
while True:
    client, _ = server.accept()
    client.sendall(b'{"QMP": {}}\\n')
    text = client.recv(65536).decode()
    while text:
        command, end = json.JSONDecoder().raw_decode(text)
        text = text[end:]
        answer = {'return': [disk] if command['execute'] == 'query-blockstats' else {}}
        if 'id' in command:
            answer['id'] = command['id']
        client.sendall(json.dumps(answer).encode() + b'\\n')
    client.close()`;

test('an image of a user that hangs takes no sizes from other VMs', options, async (t) => {
  const directory = directoryOf(t, NOBODY);
  const mount = mkdtempSync(join(tmpdir(), 'proxtop-hangs-'));
  const server = spawn('python3', ['-c', hangingMount, mount], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => {
    // With its descriptor goes the file system, and everybody stops waiting.
    if (server.kill('SIGKILL')) await once(server, 'close');
    spawnSync('umount', ['--lazy', mount]);
    rmdirSync(mount);
  });
  const [mounted] = (await Promise.race([once(server.stdout, 'data'), once(server, 'close')])) as [unknown];
  if (!Buffer.isBuffer(mounted)) {
    t.skip('needs FUSE');
    return;
  }
  const fake = spawn('python3', ['-c', fakeMonitor], {
    cwd: directory,
    uid: NOBODY,
    gid: NOBODY,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => fake.kill('SIGKILL'));
  await once(fake.stdout, 'data');
  const image = ['-drive', `file=${mount}/image,if=none,id=root`, '-device', 'virtio-blk-pci,drive=root'];
  const stranger = await fakeKvm(t, directory, ['-qmp', 'unix:own.qmp,server=on', ...image]);
  const stream = Stream.start(['--qemu', '--frequency=0.5', '--detail-interval=0.5', ...EVERYTHING]);
  t.after(() => stream.child.kill('SIGKILL'));
  await stream.next('its monitor answers', (cycle) => rowOf(cycle, stranger)?.['detail_age'] !== undefined);
  const disk = join(directoryOf(t, 0), 'disk.img');
  writeFileSync(disk, Buffer.alloc(1024 * 1024));
  const real = await realVm(t, 'DIR/real.qmp', `file=${disk},format=raw`);
  const cycle = await stream.next(
    'the real VM answers',
    (each) => rowOf(each, real.pid)?.['state'] !== undefined,
  );
  assert.equal(rowOf(cycle, real.pid)?.disks?.[0]?.['disk_capacity'], 1024 * 1024);
  const { code, stderr } = await stream.stop();
  assert.equal(code, 0, stderr);
});
