import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { diskSector } from '../lab/boot-sectors.ts';
import { CDROM, FAST, LibvirtHost, mean, named, nic, nicXml, skip } from './libvirt-host.ts';
import type { Cycle } from './program.ts';
import { EVERYTHING, Stream, device, num } from './program.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Asserts that a value is near another one, by a share of that and something on top. */
function assertNear(found: number, expected: number, share: number, more = 0): void {
  const tolerance = Math.abs(expected) * share + more;
  assert.ok(Math.abs(found - expected) <= tolerance, `${found} is not ${expected} +- ${tolerance}`);
}

describe('a libvirtd elsewhere', { skip, timeout: 300_000 }, () => {
  let host: LibvirtHost;
  let uri: string;
  const tap = nic();
  const flags = ['--frequency=1', '--detail-interval=1', ...EVERYTHING];

  before(async () => {
    const port = await freePort();
    const listen = ['listen_tcp = 1', 'listen_tls = 0', 'listen_addr = "127.0.0.1"', 'auth_tcp = "none"'];
    host = await LibvirtHost.start([...listen, `tcp_port = "${port}"`], true);
    uri = `qemu+tcp://127.0.0.1:${port}/system`;
    await host.lab.startDomain({ name: 'writer', guest: diskSector(2), devices: CDROM + nicXml(tap) });
    await host.lab.startDomain({ name: 'paused', paused: true });
  });
  after(() => {
    host.close();
  });

  describe('of which nothing is mounted here', () => {
    let stream: Stream;
    before(async () => {
      stream = Stream.start(['-c', uri, ...flags]);
      await stream.next('writes', (cycle) => Number(named(cycle, 'writer')?.['disk_writes']) > 0);
    });
    after(async () => {
      const { code, stderr } = await stream.stop();
      assert.equal(code, 0);
      assert.doesNotMatch(
        stderr,
        /^(?!.* VM paused: ).+/m,
        'no complaint about files that are not meant to be here',
      );
    });

    test('CPU time and delay of each vCPU, disks and balloon: as virsh domstats over the same interval', async () => {
      const first = await stream.next();
      const start = await host.domstats('writer');
      const last = await stream.next('some cycles', ({ seq }) => seq >= first.seq + 8);
      const end = await host.domstats('writer');
      const rows = stream.between(first, last).map((cycle) => named(cycle, 'writer'));
      const seconds = (end.at - start.at) / 1000;
      const grew = (key: string): number => (end.get(key) - start.get(key)) / seconds;
      const vcpu = (id: string): number => mean(rows.map((row) => num(device(row?.vcpus, '0'), id)));
      assertNear(vcpu('cpu_total'), grew('vcpu.0.time') / 1e7, 0.15, 5);
      assertNear(vcpu('cpu_steal'), grew('vcpu.0.delay') / 1e7, 0.2, 5);
      const whole = rows.map((row) => 2 * num(row, 'cpu_total') + num(row, 'cpu_other_total'));
      assertNear(mean(whole), grew('cpu.time') / 1e7, 0.15, 10);
      assertNear(mean(rows.map((row) => num(row, 'disk_writes'))), grew('block.0.wr.reqs'), 0.25);
      assertNear(
        mean(rows.map((row) => num(device(row?.disks, 'vda'), 'disk_reads'))),
        grew('block.0.rd.reqs'),
        0.25,
      );
      const row = rows.at(-1);
      assert.equal(num(row, 'cpu_cores'), 2);
      assert.equal(num(row, 'disk_capacity'), end.get('block.0.capacity'));
      assert.equal(num(row, 'ram_actual'), end.get('balloon.current') * 1024);
      assertNear(num(row, 'ram_rss'), end.get('balloon.rss') * 1024, 0.05);
      assert.equal(row?.['state'], 'running');
      assert.deepEqual(
        row.disks?.map((disk) => disk['device']),
        ['vda'],
      );
    });

    test('network: frames sent to the tap are what the VM received', async () => {
      const first = await stream.next();
      await host.send(tap, 300, 1000);
      await stream.next();
      await stream.next();
      const last = await stream.next();
      const sum = (id: string): number =>
        stream
          .between(first, last)
          .map((cycle) => num(named(cycle, 'writer'), id) * cycle.interval)
          .reduce((total, value) => total + value, 0);
      assertNear(sum('net_rx_packets'), 300, 0.1);
      assertNear(sum('net_rx_bytes'), 300_000, 0.1);
      assertNear(sum('net_tx_packets'), 0, 0, 2);
      assert.equal(named(last, 'writer')?.['net_interfaces'], tap.tap);
    });

    test('nothing of this host passes for that one', async () => {
      const cycle = await stream.next();
      assert.deepEqual(Object.keys(cycle.host).toSorted(), [
        'cpus',
        'disks',
        'host_name',
        'host_vms',
        'nics',
        'numa',
        'pools',
        'sensors',
        'zones',
      ]);
      assert.equal(cycle.host['host_name'], (await host.lab.virsh('hostname')).trim());
      assert.deepEqual([cycle.host.disks, cycle.host.nics], [[], []]);
      for (const row of cycle.domains) {
        const local = Object.keys(row).filter((id) =>
          /^(?:pid$|io_|psi_|ram_(?:vsize|swap|.*flt)|disk_(?:util|blkio))/.test(id),
        );
        assert.deepEqual(local, []);
      }
    });

    test('domains that start and end', async () => {
      await host.lab.startDomain({ name: 'guest', paused: true });
      await stream.next('started', (cycle) => named(cycle, 'guest')?.['state'] === 'paused');
      await host.lab.virsh('destroy', 'guest');
      await stream.next('ended', (cycle) => named(cycle, 'guest') === undefined);
    });

    test('one whose QEMU hangs keeps what libvirt knows of its threads', async () => {
      const pid = host.lab.qemuPid('paused');
      process.kill(pid, 'SIGSTOP');
      try {
        const hung = (cycle: Cycle): boolean => {
          const row = named(cycle, 'paused');
          return row?.['qmp'] === 'timeout' && row['cpu_total'] !== undefined;
        };
        const cycle = await stream.next('CPU without monitor', hung, 45_000);
        assert.equal(named(cycle, 'paused')?.['disk_capacity'], undefined);
        assert.ok(num(named(cycle, 'writer'), 'disk_writes') > 0);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await stream.next('it answers', (cycle) => named(cycle, 'paused')?.['qmp'] === undefined);
    });
  });

  test('of which /proc is mounted here: from its processes, as on the host itself', async (t) => {
    // This host's own stands for that of the other one, as it is the same.
    const stream = Stream.start(['-c', uri, '--procfs=/proc', ...FAST, ...EVERYTHING]);
    t.after(() => stream.stop());
    const cycle = await stream.next('writes', (each) => Number(named(each, 'writer')?.['disk_writes']) > 0);
    const row = named(cycle, 'writer');
    assert.equal(row?.['pid'], String(host.lab.qemuPid('writer')));
    for (const id of ['cpu_total', 'ram_vsize', 'io_write_mib', 'net_rx_packets'])
      assert.ok(num(row, id) >= 0, id);
    assert.equal(cycle.host['host_name'], readFileSync('/proc/sys/kernel/hostname', 'latin1').trim());
    assert.ok(num(cycle.host, 'cpu_idle') >= 0);
    // What is read below sysfs was not given.
    assert.deepEqual(cycle.host.nics, []);
  });
});
