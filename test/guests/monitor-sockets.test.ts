import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Entrance } from '../../src/qmp/monitor.ts';
import { MonitorSockets } from '../../src/guests/qemu/monitor-sockets.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { QmpError } from '../../src/qmp/errors.ts';
import { until } from '../lab/processes.ts';

const NOBODY = 65534;
const skip = process.getuid?.() !== 0 && 'needs root, to have processes of others';

/** Sockets of root's and of nobody's, in a directory that only root may enter and one of nobody's. */
class Place {
  readonly root = mkdtempSync(join(tmpdir(), 'proxtop-sockets-'));
  readonly nobodys = mkdtempSync(join(tmpdir(), 'proxtop-nobody-'));
  readonly sockets = new MonitorSockets(new Paths(defaultRoots));

  constructor(private readonly t: TestContext) {
    chownSync(this.nobodys, NOBODY, NOBODY);
    t.after(() => {
      for (const directory of [this.root, this.nobodys]) rmSync(directory, { recursive: true });
    });
  }

  async listen(path: string, uid: number): Promise<string> {
    const server = createServer().listen(path);
    await once(server, 'listening');
    chownSync(path, uid, uid);
    this.t.after(() => server.close());
    return path;
  }

  /** Starts a program that sleeps. @returns its pid */
  async process(uid: number, program = 'sleep', before: readonly string[] = []): Promise<number> {
    const [command = '', ...args]: string[] = [...before, program, '300'];
    const child = spawn(command, args, { cwd: this.nobodys, uid, gid: uid, stdio: 'ignore' });
    this.t.after(() => child.kill('SIGKILL'));
    await once(child, 'spawn');
    const pid = child.pid ?? -1;
    await until('it sleeps', () => realpathSync(`/proc/${pid}/exe`) === realpathSync(this.find(program)));
    return pid;
  }

  /** A program that is called like QEMU. */
  get qemu(): string {
    const path = join(this.root, 'qemu-system-test');
    if (!existsSync(path)) copyFileSync(this.find('sleep'), path);
    chmodSync(path, 0o755);
    return path;
  }

  /** {@link enter} for the first time. */
  ask(pid: number, path: string): ReturnType<typeof enter> {
    return enter(this.sockets.entrance(pid, path));
  }

  private find(program: string): string {
    return program.includes('/') ? program : `/usr/bin/${program}`;
  }
}

/** How long a connection may wait and the inode that is connected to, or why there is none. */
function enter(entrance: Entrance): { readonly patience: number; readonly inode: number } | string {
  try {
    return entrance.enter((address, patience) => ({ patience, inode: statSync(address).ino }));
  } catch (error) {
    assert.ok(error instanceof QmpError);
    assert.equal(error.reason, 'error');
    return error.message;
  }
}

function refusal(outcome: ReturnType<typeof enter>): string {
  assert.equal(typeof outcome, 'string', 'it is refused');
  return outcome as string;
}

test("a user's process gets us to no socket but that user's", { skip }, async (t) => {
  const place = new Place(t);
  const roots = await place.listen(join(place.root, 'roots'), 0);
  const own = await place.listen(join(place.nobodys, 'own'), NOBODY);
  symlinkSync(roots, join(place.nobodys, 'link'));
  symlinkSync(place.root, join(place.nobodys, 'directory'));
  symlinkSync('.', join(place.nobodys, 'sub'));
  const nobody = await place.process(NOBODY);
  const refused =
    /^[^:]+: not used: it belongs to user 0, but process \d+ is not a QEMU of that user or of root$/;
  assert.match(refusal(place.ask(nobody, roots)), refused);
  assert.match(refusal(place.ask(nobody, join(place.nobodys, 'directory/roots'))), refused);
  assert.match(refusal(place.ask(nobody, 'directory/roots')), /ENOENT|ENOTDIR|belongs to user 0/);
  assert.match(refusal(place.ask(nobody, join(place.nobodys, 'link'))), /not used: it is not a socket$/);
  assert.match(refusal(place.ask(nobody, 'link')), /not used: it is not a socket$/);
  assert.match(refusal(place.ask(nobody, '../etc/passwd')), /not used: paths with \.\. are not followed/);
  assert.match(refusal(place.ask(nobody, join(place.nobodys, 'none'))), /not used: ENOENT/);
  const { ino: inode } = statSync(own);
  for (const path of [own, 'own', './own', 'sub/own']) {
    // One after the other: of several processes, here several entrances, only one gets it.
    const entrance = place.sockets.entrance(nobody, path);
    assert.deepEqual(enter(entrance), { patience: 60_000, inode }, path);
    entrance.leave();
  }
});

test('the rights of a setuid program are not those of its user', { skip }, async (t) => {
  const place = new Place(t);
  const roots = await place.listen(join(place.root, 'roots'), 0);
  // Real id nobody, all others root: what a setuid program is while it waits for something.
  const setuid = await place.process(0, place.qemu, ['setpriv', '--ruid', String(NOBODY)]);
  assert.match(refusal(place.ask(setuid, roots)), /belongs to user 0/);
  // One that has become root for good, as sudo does before it asks for a password: argv[0] may say kvm, the program does not.
  const sudo = await place.process(0, 'sleep');
  assert.match(refusal(place.ask(sudo, roots)), /belongs to user 0/);
  const qemu = await place.process(0, place.qemu);
  assert.deepEqual(place.ask(qemu, roots), { patience: Infinity, inode: statSync(roots).ino });
});

test('several processes that name one socket', { skip }, async (t) => {
  const place = new Place(t);
  const path = await place.listen(join(place.nobodys, 'own'), NOBODY);
  symlinkSync('.', join(place.nobodys, 'same'));
  const [one, other] = [await place.process(NOBODY), await place.process(NOBODY)];
  const first = place.sockets.entrance(one, path);
  const second = place.sockets.entrance(other, join(place.nobodys, 'same/own'));
  assert.equal(typeof enter(first), 'object');
  assert.match(
    refusal(enter(second)),
    new RegExp(`not used: it is the monitor of process ${one}, not of process ${other}$`),
  );
  assert.equal(typeof enter(first), 'object', 'the first one keeps it');
  first.leave();
  assert.equal(typeof enter(second), 'object');
  assert.match(refusal(enter(first)), /it is the monitor of process/);
  // Another socket under the same path is another monitor, and who has the old one keeps it.
  const before = enter(second);
  rmSync(path);
  await place.listen(path, NOBODY);
  assert.deepEqual(enter(second), before);
  assert.notDeepEqual(enter(first), before);
  rmSync(path);
  second.recheck();
  assert.match(refusal(enter(second)), /ENOENT/);
});
