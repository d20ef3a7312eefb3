import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { diskSector, panicSector, spinSector } from '../lab/boot-sectors.ts';
import { CDROM, FAST, LibvirtHost, mean, named, nic, nicXml, skip, text } from './libvirt-host.ts';
import { readDevices } from '../../src/guests/libvirt/libvirt-xml.ts';
import type { Cycle, Row } from './program.ts';
import { EVERYTHING, Stream, agree, device, num } from './program.ts';

const KIB = 1024;
const MIB = 2 ** 20;

/** Asserts that a value is near another one, by a share of that and something on top. */
function assertNear(found: number, expected: number, share: number, more = 0): void {
  const tolerance = Math.abs(expected) * share + more;
  assert.ok(Math.abs(found - expected) <= tolerance, `${found} is not ${expected} +- ${tolerance}`);
}

describe('domains of a real libvirtd', { skip, timeout: 300_000 }, () => {
  let host: LibvirtHost;
  let stream: Stream;
  const tap = nic();

  before(async () => {
    host = await LibvirtHost.start();
    await host.lab.startDomain({ name: 'writer', guest: diskSector(2), devices: CDROM });
    await host.lab.startDomain({ name: 'half busy', guest: spinSector(4), devices: nicXml(tap) });
    await host.lab.startDomain({ name: 'paused', paused: true });
    await host.lab.startDomain({ name: 'crash', guest: panicSector() });
    stream = Stream.start([...host.flags, ...FAST, ...EVERYTHING]);
    await stream.next('writes', (cycle) => Number(named(cycle, 'writer')?.['disk_writes']) > 0);
  });
  after(async () => {
    const { code, stderr } = await stream.stop();
    host.close();
    assert.equal(code, 0, stderr);
  });

  /** The cycles of some seconds, between two readings of virsh. */
  async function observe(
    name: string,
    cycles: number,
  ): Promise<{ seen: Cycle[]; grew: (key: string) => number; seconds: number }> {
    const first = await stream.next();
    const start = await host.domstats(name);
    const last = await stream.next('the last cycle', ({ seq }) => seq >= first.seq + cycles);
    const end = await host.domstats(name);
    return {
      seen: stream.between(first, last),
      grew: (key) => end.get(key) - start.get(key),
      seconds: (end.at - start.at) / 1000,
    };
  }

  test('each domain that virsh lists, with its names and its process', async () => {
    const cycle = await stream.next();
    const listed = (await host.lab.virsh('list', '--name')).split('\n').filter((name) => name !== '');
    assert.deepEqual(cycle.domains.map(({ name }) => name).toSorted(), listed.toSorted());
    for (const row of cycle.domains) {
      const name = text(row, 'name');
      assert.equal(row['UUID'], (await host.lab.virsh('domuuid', name)).trim());
      const pid = host.lab.qemuPid(name);
      assert.equal(row['pid'], String(pid));
      assert.match(
        execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'latin1' }),
        /^\S*qemu-system/,
      );
      assert.equal(row['vmid'], undefined);
      assert.equal(row['cpu_cores'], 2);
      assert.deepEqual(
        row.vcpus?.map((vcpu) => vcpu['device']),
        ['0', '1'],
      );
    }
    assert.equal(cycle.host['host_name'], readFileSync('/proc/sys/kernel/hostname', 'latin1').trim());
  });

  test('states, and a change of state in the next cycle', async () => {
    const states = (cycle: Cycle): unknown[] =>
      ['writer', 'paused', 'crash'].map((name) => named(cycle, name)?.['state']);
    assert.deepEqual(states(await stream.next()), ['running', 'paused', 'crashed']);
    await host.lab.virsh('resume', 'paused');
    await host.lab.virsh('suspend', 'writer');
    const changed = await stream.next();
    const { seq } = await stream.next(
      'the new states',
      (cycle) => String(states(cycle)) === 'paused,running,crashed',
    );
    assert.ok(seq <= changed.seq + 1, 'within a cycle');
    await host.lab.virsh('resume', 'writer');
    await host.lab.virsh('suspend', 'paused');
  });

  test('CPU: as virsh vcpuinfo and domstats over the same interval', () =>
    agree(async () => {
      const vcpuinfo = async (): Promise<number[]> => {
        const text = await host.lab.virsh('vcpuinfo', 'half busy');
        return [...text.matchAll(/^CPU time: +([\d.]+)s$/gm)].map(([, seconds]) => Number(seconds));
      };
      const before = await vcpuinfo();
      const { seen, grew, seconds } = await observe('half busy', 10);
      const later = await vcpuinfo();
      const busy = seen.map((cycle) => device(named(cycle, 'half busy')?.vcpus, '0'));
      const used = mean(busy.map((vcpu) => num(vcpu, 'cpu_total')));
      assert.ok(used > 2 && used < 80, `${used} percent: it spins half of the time, as far as it gets a CPU`);
      assertNear(used, (grew('vcpu.0.time') / 1e9 / seconds) * 100, 0.1, 5);
      assertNear(used, ((later[0]! - before[0]!) / seconds) * 100, 0.15, 5);
      assertNear(
        mean(busy.map((vcpu) => num(vcpu, 'cpu_steal'))),
        (grew('vcpu.0.delay') / 1e9 / seconds) * 100,
        0.2,
        5,
      );
      const whole = seen.map((cycle) => {
        const row = named(cycle, 'half busy');
        return 2 * num(row, 'cpu_total') + num(row, 'cpu_other_total');
      });
      assertNear(mean(whole), (grew('cpu.time') / 1e9 / seconds) * 100, 0.15, 10);
    }));

  test('disks: as virsh domstats over the same interval, with their sizes', () =>
    agree(async () => {
      const { seen, grew, seconds } = await observe('writer', 10);
      const rows = seen.map((cycle) => named(cycle, 'writer'));
      const disks = rows.map((row) => device(row?.disks, 'vda'));
      for (const [id, key, unit] of [
        ['disk_reads', 'block.0.rd.reqs', 1],
        ['disk_writes', 'block.0.wr.reqs', 1],
        ['disk_read_mib', 'block.0.rd.bytes', MIB],
        ['disk_write_mib', 'block.0.wr.bytes', MIB],
      ] as const) {
        assert.ok(grew(key) > 0, key);
        assertNear(mean(disks.map((disk) => num(disk, id))), grew(key) / unit / seconds, 0.15);
        assertNear(mean(rows.map((row) => num(row, id))), grew(key) / unit / seconds, 0.15);
      }
      const latency = grew('block.0.wr.times') / grew('block.0.wr.reqs') / 1e6;
      // Each mean is of the writes of its own time, which come in bursts on a busy machine.
      const writes = disks.map((disk) => num(disk, 'disk_writes'));
      const spent = disks.map((disk, index) =>
        writes[index] === 0 ? 0 : num(disk, 'disk_lat_wr') * writes[index]!,
      );
      assertNear(mean(spent) / mean(writes), latency, 0.5, 0.1);
      const disk = device(named(await stream.next(), 'writer')?.disks, 'vda');
      const told = await host.domstats('writer');
      const capacity = /^Capacity: +(\d+)$/m.exec(await host.lab.virsh('domblkinfo', 'writer', 'vda'))?.[1];
      assert.equal(num(disk, 'disk_capacity'), Number(capacity));
      // What of the image is written grows while the guest writes.
      for (const size of ['physical', 'allocation']) {
        const found = num(disk, `disk_${size}`);
        assert.ok(found > 0 && found <= told.get(`block.0.${size}`), `${size}: ${found}`);
      }
      assert.equal(disk?.['disk_path'], join(host.lab.root, 'images/writer.img'));
    }));

  test('a limit of a disk that virsh sets and removes, and that it is reached', async () => {
    const limit = (operations: number): Promise<string> =>
      host.lab.virsh('blkdeviotune', 'writer', 'vda', '--live', '--total-iops-sec', String(operations));
    const disk = (cycle: Cycle): Row | undefined => device(named(cycle, 'writer')?.disks, 'vda');
    assert.equal(disk(await stream.next())?.['disk_iops_limit'], undefined);
    await limit(5);
    // Without the event of libvirt it would take five minutes.
    const limited = await stream.next('the limit', (cycle) => disk(cycle)?.['disk_iops_limit'] === 5);
    const { seq } = await stream.next('reached', (cycle) => Number(disk(cycle)?.['disk_limit_used']) > 60);
    assert.ok(seq - limited.seq < 100);
    await limit(0);
    await stream.next('no limit', (cycle) => disk(cycle)?.['disk_iops_limit'] === undefined);
  });

  test('limits of CPUs and NICs, as libvirt writes what virsh reads', async () => {
    // Neither cgroups nor the sfq of tc is to be had here, so that such a domain cannot run.
    const xml = (await host.lab.virsh('dumpxml', 'half busy', '--inactive'))
      .replace('<name>half busy', '<name>limited')
      .replace(/<uuid>.*<\/uuid>/, '')
      .replace(
        '</vcpu>',
        '</vcpu><cputune><shares>2048</shares><period>50000</period><quota>25000</quota></cputune>',
      )
      .replace(
        "<script path='/bin/true'/>",
        "<bandwidth><inbound average='1000' peak='2000'/><outbound average='128'/></bandwidth>",
      );
    writeFileSync(join(host.lab.root, 'limited.xml'), xml);
    await host.lab.virsh('define', join(host.lab.root, 'limited.xml'));
    const { cpu, nics } = readDevices(await host.lab.virsh('dumpxml', 'limited'));
    const told = async (...command: string[]): Promise<(name: string) => number> => {
      const text = await host.lab.virsh(...command, '--config');
      return (name) => Number(new RegExp(`^${name} *: (\\d+)`, 'm').exec(text)?.[1]);
    };
    const cpus = await told('schedinfo', 'limited');
    const limits = { vcpuLimit: cpus('vcpu_quota') / cpus('vcpu_period'), weight: cpus('cpu_shares') };
    assert.deepEqual(cpu, limits);
    assert.deepEqual(limits, { vcpuLimit: 0.5, weight: 2048 });
    const rates = await told('domiftune', 'limited', tap.tap);
    assert.deepEqual(
      nics.map((each) => each.limit),
      [{ received: rates('inbound.average') * 1000, sent: rates('outbound.average') * 1000 }],
    );
    await host.lab.virsh('undefine', 'limited');
  });

  test('CD-ROM and floppy are no disks', async () => {
    assert.match(await host.lab.virsh('domblklist', 'writer'), /^ *fda .*^ *vda |^ *vda .*^ *fda /ms);
    const row = named(await stream.next(), 'writer');
    assert.deepEqual(
      row?.disks?.map((disk) => disk['device']),
      ['vda'],
    );
  });

  test('memory: as ps and virsh dommemstat', async () => {
    const row = named(await stream.next(), 'writer');
    const ps = (field: string): number =>
      Number(
        execFileSync('ps', ['-o', `${field}=`, '-p', String(host.lab.qemuPid('writer'))], {
          encoding: 'latin1',
        }),
      );
    assertNear(num(row, 'ram_rss'), ps('rss') * KIB, 0.05);
    assertNear(num(row, 'ram_vsize'), ps('vsz') * KIB, 0.05);
    const balloon = /^actual (\d+)$/m.exec(await host.lab.virsh('dommemstat', 'writer'))?.[1];
    assert.equal(num(row, 'ram_actual'), Number(balloon) * KIB);
    assert.equal(num(row, 'ram_total'), 32 * MIB);
    assert.equal(row?.['ram_free'], undefined, 'the guest reports nothing');
  });

  test('network: frames sent to the tap are what the VM received', async () => {
    const first = await stream.next();
    assert.equal(named(first, 'half busy')?.['net_interfaces'], tap.tap);
    await host.send(tap, 400, 1000);
    await stream.next();
    const last = await stream.next();
    const sum = (id: string): number =>
      stream
        .between(first, last)
        .map((cycle) => num(device(named(cycle, 'half busy')?.nics, tap.tap), id) * cycle.interval)
        .reduce((total, value) => total + value, 0);
    assertNear(sum('net_rx_packets'), 400, 0.05);
    assertNear(sum('net_rx_bytes'), 400_000, 0.05);
    assertNear(sum('net_tx_packets'), 0, 0, 2);
  });

  test('a disk and a NIC that are plugged in and out', async () => {
    const plugged = nic();
    const file = (name: string, xml: string): string => {
      const path = join(host.lab.root, name);
      writeFileSync(path, xml);
      return path;
    };
    const disk = file(
      'sda.xml',
      `<disk type='file' device='disk'><driver name='qemu' type='raw'/>` +
        `<source file='${host.lab.image('sda.img')}'/><target dev='sda' bus='usb'/></disk>`,
    );
    const card = file('nic.xml', nicXml({ ...plugged, model: 'e1000' }));
    const devices = (cycle: Cycle): string => {
      const row = named(cycle, 'paused');
      return [...(row?.disks ?? []), ...(row?.nics ?? [])].map((each) => text(each, 'device')).join();
    };
    assert.equal(devices(await stream.next()), 'vda');
    await host.lab.virsh('attach-device', 'paused', disk);
    await host.lab.virsh('attach-device', 'paused', card);
    await stream.next('both', (cycle) => devices(cycle) === `vda,sda,${plugged.tap}`);
    await host.lab.virsh('detach-device', 'paused', disk);
    await stream.next('the disk is gone', (cycle) => devices(cycle) === `vda,${plugged.tap}`);
  });

  test('a domain that starts, ends and starts again shows in the next cycle', async () => {
    const shown = async (what: string, wanted: (cycle: Cycle) => boolean): Promise<Cycle> => {
      const { seq } = await stream.next();
      const cycle = await stream.first(what, (each) => each.seq >= seq && wanted(each));
      assert.ok(cycle.seq <= seq + 1, `${what}: ${cycle.seq - seq} cycles later`);
      return cycle;
    };
    await host.lab.startDomain({ name: 'guest', paused: true });
    const first = named(await shown('started', (cycle) => named(cycle, 'guest') !== undefined), 'guest');
    assert.equal(first?.['state'], 'paused');
    await host.lab.virsh('destroy', 'guest');
    await shown('ended', (cycle) => named(cycle, 'guest') === undefined);
    await host.lab.startDomain({ name: 'guest', paused: true });
    const again = named(
      await shown('started again', (cycle) => named(cycle, 'guest') !== undefined),
      'guest',
    );
    assert.notEqual(again?.['pid'], first['pid']);
    process.kill(host.lab.qemuPid('guest'), 'SIGKILL');
    await shown('killed', (cycle) => named(cycle, 'guest') === undefined);
  });

  test('50 domains start and end while the stream goes on', async () => {
    const first = await stream.next();
    const names = Array.from({ length: 50 }, (_, number) => `many-${number}`);
    const inParallel = async (work: (name: string) => Promise<unknown>): Promise<void> => {
      const left = names.values();
      const worker = async (): Promise<void> => {
        for (const name of left) await work(name);
      };
      await Promise.all(Array.from({ length: 10 }, worker));
    };
    await inParallel((name) => host.lab.startDomain({ name, paused: true }));
    const many = await stream.next('all 50', (cycle) => cycle.domains.length === 54);
    for (const row of many.domains) assert.equal(row['pid'], String(host.lab.qemuPid(text(row, 'name'))));
    await inParallel((name) => host.lab.virsh('destroy', name));
    const last = await stream.next('none of them', (cycle) => cycle.domains.length === 4);
    const seen = stream.between(first, last);
    assert.deepEqual(
      seen.map(({ seq }) => seq),
      Array.from({ length: last.seq - first.seq }, (_, index) => first.seq + 1 + index),
      'no cycle is missing',
    );
    for (const cycle of seen) {
      assert.equal(
        named(cycle, 'writer')?.['cpu_cores'],
        2,
        'those that were there before keep their values',
      );
    }
    const descriptors = readdirSync(`/proc/${stream.pid}/fd`);
    assert.ok(
      descriptors.length < 120,
      `${descriptors.length} descriptors: those of the ended are given back`,
    );
  });
});
