import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { LibvirtInventory } from '../../src/guests/libvirt/libvirt.ts';
import { Hypervisor } from '../../src/libvirt/hypervisor.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';
import { spinSector } from '../lab/boot-sectors.ts';
import { logs } from '../delivery/helpers.ts';
import { FAST, LibvirtHost, named, skip } from './libvirt-host.ts';
import { EVERYTHING, Stream, device, num } from './program.ts';

const OTHER = '11111111-2222-3333-4444-555555555555';

describe('which process is that of a domain', { skip, timeout: 300_000 }, () => {
  let host: LibvirtHost;

  before(async () => {
    host = await LibvirtHost.start();
  });
  after(() => {
    host.close();
  });

  /** A procfs that lacks the process of a domain, as one in another pid namespace would. */
  function procfsWithout(t: TestContext, name: string): string {
    const procfs = mkdtempSync(join(tmpdir(), 'proxtop-procfs-'));
    t.after(() => {
      rmSync(procfs, { recursive: true });
    });
    const hidden = String(host.lab.qemuPid(name));
    for (const entry of readdirSync('/proc'))
      if (entry !== hidden) symlinkSync(join('/proc', entry), join(procfs, entry));
    return procfs;
  }

  test('its QEMU may have another UUID, another name, or the UUID of another domain', async (t) => {
    await host.lab.startDomain({ name: 'usual', paused: true });
    const uuid = (await host.lab.virsh('domuuid', 'usual')).trim();
    const others = [
      { name: 'smbios', commandLine: ['-smbios', `type=1,uuid=${OTHER}`] },
      { name: 'a name of more than twenty characters', commandLine: ['-uuid', OTHER] },
      { name: 'renamed', commandLine: ['-name', 'usual'] },
      { name: 'twin', commandLine: ['-smbios', `type=1,uuid=${uuid}`] },
    ];
    for (const each of others) await host.lab.startDomain({ ...each, paused: true });
    const stream = Stream.start([...host.flags, ...FAST, ...EVERYTHING]);
    t.after(() => stream.stop());
    const names = ['usual', ...others.map(({ name }) => name)];
    const cycle = await stream.next('all of them', ({ domains }) => domains.length === names.length);
    for (const name of names) {
      const row = named(cycle, name);
      assert.equal(row?.['UUID'], (await host.lab.virsh('domuuid', name)).trim(), name);
      assert.equal(row['pid'], String(host.lab.qemuPid(name)), name);
    }
    for (const name of names) await host.lab.virsh('destroy', name);
  });

  test('one whose process cannot be seen has a row of what libvirt tells, and the log says so once', async (t) => {
    await host.lab.startDomain({ name: 'seen', paused: true });
    await host.lab.startDomain({ name: 'hidden', guest: spinSector(8) });
    const stream = Stream.start([
      ...host.flags,
      ...FAST,
      ...EVERYTHING,
      `--procfs=${procfsWithout(t, 'hidden')}`,
    ]);
    t.after(() => stream.stop());
    const cycle = await stream.next(
      'its CPU time',
      (each) => Number(named(each, 'hidden')?.['cpu_total']) > 0,
    );
    const row = named(cycle, 'hidden');
    assert.equal(row?.['pid'], undefined);
    assert.equal(row?.['state'], 'running');
    assert.equal(num(row, 'cpu_cores'), 2);
    assert.equal(num(row, 'ram_total'), 32 * 2 ** 20);
    assert.ok(num(row, 'ram_rss') > 2 ** 20);
    assert.ok(num(device(row.disks, 'vda'), 'disk_capacity') > 0);
    const seen = named(cycle, 'seen');
    assert.equal(seen?.['pid'], String(host.lab.qemuPid('seen')));
    assert.equal(num(seen, 'cpu_total'), 0, 'the other one has its own CPU time');
    await stream.next('some more', ({ seq }) => seq > cycle.seq + 5);
    const said = stream.stderr.match(/no process found for VM .*/g);
    assert.equal(said?.length, 1, stream.stderr);
    assert.match(said[0], /no process found for VM hidden in .*: only what libvirt reports is shown/);
    await host.lab.virsh('destroy', 'hidden');
    await stream.next('it is gone', (each) => named(each, 'hidden') === undefined);
    await host.lab.virsh('destroy', 'seen');
  });

  test('libvirtd is not asked more often for it, and domains that came and went leave nothing', async (t) => {
    await host.lab.startDomain({ name: 'hidden', paused: true });
    const roots = { ...defaultRoots, procfs: procfsWithout(t, 'hidden'), rundir: host.rundir };
    const asked = t.mock.method(Hypervisor.prototype, 'allDomainStates');
    const connector = new LibvirtInventory(
      'qemu:///system',
      {
        ...{ sockets: join(host.rundir, 'libvirt'), sessionSockets: undefined },
        ...{ certificates: '/etc/pki', userCertificates: undefined },
      },
      new Paths(roots),
      { detailInterval: 60, frequency: 1 },
      logs().log,
      true,
    );
    t.after(() => {
      connector.close();
    });
    while (connector.guests().length === 0) await connector.poll();
    const before = asked.mock.callCount();
    for (let cycle = 0; cycle < 20; cycle++) {
      connector.guests();
      await connector.poll();
    }
    assert.ok(asked.mock.callCount() - before <= 1, `${asked.mock.callCount() - before} calls in 20 cycles`);
    await host.lab.virsh('destroy', 'hidden');
  });
});
