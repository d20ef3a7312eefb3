import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { diskSector } from '../lab/boot-sectors.ts';
import { FAST, LibvirtHost, named, skip } from './libvirt-host.ts';
import type { Cycle, End, Row } from './program.ts';
import { EVERYTHING, PROXTOP, Program, Stream, num, proxtop } from './program.ts';

const POLKIT = 'auth_unix_ro = "polkit"';
const ASLEEP = 8;

/** Values from /proc, which libvirt has no part in. */
function assertMeasured(row: Row | undefined): void {
  for (const id of ['cpu_total', 'ram_rss', 'io_read_mib']) assert.ok(num(row, id) >= 0);
}

/** Values that only libvirt can tell are not there. */
function assertOmitted(row: Row | undefined): void {
  for (const id of ['disk_writes', 'disk_capacity', 'ram_actual', 'detail_age'])
    assert.equal(row?.[id], undefined, id);
  assert.ok(num(row, 'qmp_age') >= 0);
}

describe('a libvirtd in trouble', { skip, timeout: 300_000 }, () => {
  let host: LibvirtHost;
  let stream: Stream;

  before(async () => {
    host = await LibvirtHost.start([POLKIT]);
    await host.lab.startDomain({ name: 'writer', guest: diskSector(2) });
    await host.lab.startDomain({ name: 'other', paused: true });
    stream = Stream.start([...host.flags, ...FAST, ...EVERYTHING]);
    await stream.next('writes', writes);
  });
  after(async () => {
    const { code, stderr } = await stream.stop();
    host.close();
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /failed|Error/);
  });

  const writes = (cycle: Cycle): boolean => Number(named(cycle, 'writer')?.['disk_writes']) > 0;

  test('stopped by SIGSTOP: what it tells is omitted, /proc goes on, and it recovers', async () => {
    const { seq } = await stream.next();
    await host.lab.suspend();
    const silent = await stream.next('timeout', (cycle) => named(cycle, 'writer')?.['qmp'] === 'timeout');
    const later = await stream.next('some cycles', (cycle) => cycle.seq >= silent.seq + ASLEEP);
    const seen = stream.cycles.filter((cycle) => cycle.seq > seq && cycle.seq <= later.seq);
    assert.equal(seen.length, later.seq - seq, 'no cycle is missing');
    for (const cycle of seen) for (const name of ['writer', 'other']) assertMeasured(named(cycle, name));
    for (const cycle of stream.between(silent, later)) {
      for (const name of ['writer', 'other']) {
        const row = named(cycle, name);
        assertOmitted(row);
        assert.equal(row?.['state'], undefined);
      }
    }
    host.lab.resume();
    await stream.next(
      'all is back',
      (cycle) => writes(cycle) && named(cycle, 'writer')?.['qmp'] === undefined,
    );
    assert.equal(named(await stream.next(), 'other')?.['state'], 'paused');
  });

  test('one domain hangs: only what its monitor tells is omitted, the others keep theirs', async () => {
    const pid = host.lab.qemuPid('other');
    process.kill(pid, 'SIGSTOP');
    try {
      const hung = await stream.next('timeout', (cycle) => named(cycle, 'other')?.['qmp'] === 'timeout');
      const later = await stream.next('some cycles', ({ seq }) => seq >= hung.seq + ASLEEP);
      for (const cycle of stream.between(hung, later)) {
        assertOmitted(named(cycle, 'other'));
        assertMeasured(named(cycle, 'other'));
        assert.equal(named(cycle, 'other')?.['state'], 'paused', 'libvirt knows it without the monitor');
        const row = named(cycle, 'writer');
        assert.ok(num(row, 'disk_writes') > 0);
        assert.ok(num(row, 'detail_age') < 2, 'the others are asked in their beat');
        assert.equal(row?.['qmp'], undefined);
      }
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await stream.next('it answers', (cycle) => Number(named(cycle, 'other')?.['disk_capacity']) > 0);
    assert.match(stream.stderr, /VM other: QMP values are omitted \(timeout\)/);
    assert.match(stream.stderr, /VM other: the monitor answers again/);
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`restarted after ${signal} while the stream goes on`, async () => {
      const before = await stream.next();
      await host.lab.stop(signal);
      const without = await stream.next(
        'no state',
        (cycle) => named(cycle, 'other')?.['state'] === undefined,
      );
      assertMeasured(named(without, 'writer'));
      const omitted = await stream.next('no detail', (cycle) => named(cycle, 'writer')?.['qmp'] === 'error');
      assertOmitted(named(omitted, 'writer'));
      await host.lab.start([POLKIT]);
      const back = await stream.next(
        'back',
        (cycle) => writes(cycle) && named(cycle, 'other')?.['state'] === 'paused',
      );
      for (const cycle of stream.between(before, back)) assertMeasured(named(cycle, 'writer'));
      // Events flow again.
      await host.lab.virsh('resume', 'other');
      await stream.next('resumed', (cycle) => named(cycle, 'other')?.['state'] === 'running');
      await host.lab.virsh('suspend', 'other');
      await stream.next('suspended', (cycle) => named(cycle, 'other')?.['state'] === 'paused');
    });
  }

  test('the log says once that it is gone and once that it is back', () => {
    const count = (what: RegExp): number => stream.stderr.match(what)?.length ?? 0;
    assert.ok(count(/no connection to libvirt, its metrics are omitted/g) >= 2);
    assert.equal(count(/connected to libvirt again/g), 2, stream.stderr);
    assert.ok(stream.stderr.split('\n').length < 20, stream.stderr);
  });

  /** Three samples of a proxtop whose user is nobody. */
  function asNobody(): Promise<End> {
    const args = ['--reuid=65534', '--regid=65534', '--clear-groups', PROXTOP, '--printer=json', '--runs=3'];
    return new Program(spawn('setpriv', [...args, ...FAST, ...host.flags, ...EVERYTHING])).end();
  }

  test('without the right to the socket the log names it and the group', async () => {
    chmodSync(host.rundir, 0o755);
    const socket = join(host.lab.sockets, 'libvirt-sock-ro');
    chmodSync(socket, 0o700);
    try {
      const { code, stderr, stdout } = await asNobody();
      assert.match(
        stderr,
        /libvirt-sock-ro: permission denied; run as root or join the group of the socket \(normally libvirt\)/,
      );
      assert.equal(code, 0);
      const cycles = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Cycle);
      assert.equal(cycles.length, 3);
      for (const { domains, host: row } of cycles) {
        assert.deepEqual(domains, []);
        assert.ok(num(row, 'cpu_idle') >= 0, 'the host is measured');
      }
    } finally {
      chmodSync(socket, 0o777);
    }
    // No polkitd runs here, so libvirt cannot ask it and refuses.
    const refused = await asNobody();
    assert.match(refused.stderr, /libvirt-sock-ro: polkit: .*; run as root or join the group libvirt/);
  });

  test('on the read-only socket nothing is missing but what /proc keeps to root', async () => {
    await host.lab.stop();
    await host.lab.start();
    await stream.next('back', writes);
    const { stdout, stderr } = await asNobody();
    const cycle = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Cycle;
    const row = named(cycle, 'writer');
    for (const id of ['disk_writes', 'disk_capacity', 'ram_actual', 'cpu_total', 'ram_rss', 'detail_age'])
      assert.ok(num(row, id) >= 0);
    assert.equal(row?.['state'], 'running');
    assert.equal(row['io_read_mib'], undefined);
    assert.match(stderr, /\/io: permission denied/);
  });
});

describe('a libvirtd that is not there at the start', { skip, timeout: 300_000 }, () => {
  test('the host is measured, and its domains appear when it does', async (t) => {
    const host = await LibvirtHost.start();
    t.after(() => {
      host.close();
    });
    await host.lab.startDomain({ name: 'one', paused: true });
    await host.lab.stop();
    const stream = Stream.start([...host.flags, ...FAST, ...EVERYTHING]);
    t.after(() => stream.stop());
    const before = await stream.next();
    assert.deepEqual(before.domains, []);
    assert.ok(num(before.host, 'cpu_idle') >= 0);
    assert.match(
      stream.stderr,
      /qemu:\/\/\/system: no connection to libvirt, .*libvirt-sock-ro are not there; does libvirt run\?/,
    );
    await host.lab.start();
    const { domains } = await stream.next('its domain', (cycle) => cycle.domains.length > 0);
    assert.deepEqual(
      domains.map((row) => row['name']),
      ['one'],
    );
  });

  test('an empty runtime directory is no reason to end', async (t) => {
    const rundir = mkdtempSync(join(tmpdir(), 'proxtop-empty-'));
    t.after(() => {
      rmSync(rundir, { recursive: true });
    });
    const args = ['--libvirt', '--rundir', rundir, '--runs=2', ...FAST, '--cpu', '--printer=json'];
    const { code, stdout } = await proxtop(args);
    assert.equal(code, 0);
    assert.equal(stdout.trimEnd().split('\n').length, 2);
  });
});
