import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ConnectionError, LibvirtError } from '../../src/libvirt/error.ts';
import type { DomainEvent } from '../../src/libvirt/events.ts';
import type { Hypervisor } from '../../src/libvirt/hypervisor.ts';
import {
  connectHypervisor,
  domainStates,
  listFlags,
  statsFlags,
  statsGroups,
} from '../../src/libvirt/hypervisor.ts';
import type { Domain } from '../../src/libvirt/protocol.ts';
import type { TypedParameters } from '../../src/libvirt/typed-parameters.ts';
import { LabLibvirtd, missingForLibvirtd } from '../lab/libvirtd.ts';
import { until } from '../lab/processes.ts';

const missing = missingForLibvirtd();
const skip = missing.length > 0 && `libvirtd needs ${missing.join(', ')}`;
const NOBODY = 65534;

const troubleIs = (trouble: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ConnectionError, String(error));
  assert.equal(error.trouble, trouble, error.message);
  assert.match(error.message, words);
  return true;
};

function connectIn(sockets: string, uri = 'qemu:///system', timeout = 5000): Promise<Hypervisor> {
  const directories = { sockets, sessionSockets: undefined, certificates: '', userCertificates: undefined };
  return connectHypervisor(uri, directories, timeout, AbortSignal.timeout(10_000));
}

function eventOf(hypervisor: Hypervisor, matches: (event: DomainEvent) => boolean): Promise<DomainEvent> {
  return new Promise((resolve) => {
    hypervisor.on('domain', (event) => {
      if (matches(event)) resolve(event);
    });
  });
}

/** The answer of `virsh domstats`: name=value lines. */
function parseDomstats(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line.includes('='));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1)]),
  );
}

/** Runs a step as a user without rights, as the server sees it. */
async function asNobody<T>(step: () => Promise<T>): Promise<T> {
  process.seteuid?.(NOBODY);
  try {
    return await step();
  } finally {
    process.seteuid?.(0);
  }
}

describe('a real libvirtd', { skip, timeout: 300_000 }, () => {
  let lab: LabLibvirtd;
  let hypervisor: Hypervisor;

  before(async () => {
    lab = await LabLibvirtd.start(['auth_unix_ro = "polkit"']);
    await lab.startDomain({ name: 'paused one', paused: true });
    await lab.startDomain({ name: 'läuft' });
    hypervisor = await connectIn(lab.sockets);
  });
  after(() => {
    hypervisor.close();
    lab.close();
  });

  const domain = async (name: string): Promise<Domain> => {
    const found = (await hypervisor.listDomains()).find((one) => one.name === name);
    assert.ok(found, `no domain ${name}`);
    return found;
  };

  const stats = async (name: string): Promise<TypedParameters> => {
    const [only] = await hypervisor.allDomainStats(0, 0, [await domain(name)]);
    assert.equal(only?.domain.name, name);
    return only.parameters;
  };

  test('tells its host name', async () => {
    assert.equal(await hypervisor.hostname(), (await lab.virsh('hostname')).trim());
  });

  test('lists what virsh lists', async () => {
    const domains = await hypervisor.listDomains();
    for (const [option, key] of [
      ['--name', 'name'],
      ['--uuid', 'uuid'],
      ['--id', 'id'],
    ] as const) {
      const listed = (await lab.virsh('list', option)).split('\n').filter((line) => line !== '');
      assert.deepEqual(domains.map((one) => String(one[key])).sort(), listed.sort());
    }
    assert.deepEqual(await hypervisor.listDomains(listFlags.inactive), []);
  });

  for (const name of ['paused one', 'läuft']) {
    test(`${name}: the statistics are those of virsh domstats`, async () => {
      const earlier = await stats(name);
      const independent = parseDomstats(await lab.virsh('domstats', name));
      const later = await stats(name);
      assert.ok(independent.size > 40);
      assert.deepEqual([...later.keys()].sort(), [...independent.keys()].sort());
      for (const [key, text] of independent) {
        const [low, high] = [earlier.get(key), later.get(key)];
        if (typeof low === 'number' && typeof high === 'number') {
          // Counters may move between the three readings, and memory may be given back besides.
          const slack = key === 'balloon.rss' ? 0.1 * low : 0;
          const fits = low - slack <= Number(text) && Number(text) <= high + slack;
          assert.ok(fits, `${key}: ${low} <= ${text} <= ${high}`);
        } else {
          assert.equal(String(high), text, key);
        }
      }
    });

    test(`${name}: its XML and state are those of virsh`, async () => {
      const one = await domain(name);
      assert.equal((await hypervisor.domainXml(one)).trim(), (await lab.virsh('dumpxml', name)).trim());
      const state = domainStates[Number((await stats(name)).get('state.state'))];
      assert.equal(state, (await lab.virsh('domstate', name)).trim());
    });
  }

  test('gives only the groups and domains that are asked for', async () => {
    const all = await hypervisor.allDomainStats(statsGroups.state);
    assert.deepEqual(all.map((one) => one.domain.name).sort(), ['läuft', 'paused one']);
    for (const { parameters } of all)
      assert.deepEqual([...parameters.keys()], ['state.state', 'state.reason']);
    const gone = { name: 'gone', uuid: '00000000-0000-0000-0000-000000000001', id: 77 };
    assert.deepEqual(await hypervisor.allDomainStats(statsGroups.state, 0, [gone]), []);
    await assert.rejects(
      hypervisor.domainXml(gone),
      (error) => error instanceof LibvirtError && error.code === 42,
    );
  });

  test('tells of changes and devices', async () => {
    const watcher = await connectIn(lab.sockets);
    await watcher.subscribe();
    const { uuid } = await domain('paused one');
    const seen = (kind: string, change?: string): Promise<DomainEvent> =>
      eventOf(watcher, (event) =>
        event.kind === 'lifecycle' ? event.kind === kind && event.change === change : event.kind === kind,
      );
    const device = join(lab.root, 'usb.xml');
    const disk = `<source file='${lab.image('usb.img')}'/><target dev='sda' bus='usb'/>`;
    writeFileSync(device, `<disk type='file' device='disk'><driver name='qemu' type='raw'/>${disk}</disk>`);

    const added = seen('device-added');
    const removed = seen('device-removed');
    const resumed = seen('lifecycle', 'resumed');
    const suspended = seen('lifecycle', 'suspended');
    await lab.virsh('attach-device', 'paused one', device);
    assert.deepEqual(await added, {
      kind: 'device-added',
      domain: await domain('paused one'),
      alias: 'usb-disk0',
    });
    await lab.virsh('detach-device', 'paused one', device);
    assert.equal((await removed).domain.uuid, uuid);
    await lab.virsh('resume', 'paused one');
    await lab.virsh('suspend', 'paused one');
    assert.equal((await resumed).domain.uuid, uuid);
    assert.equal((await suspended).domain.name, 'paused one');

    const started = seen('lifecycle', 'started');
    const stopped = seen('lifecycle', 'stopped');
    await lab.startDomain({ name: 'brief', paused: true });
    await lab.virsh('destroy', 'brief');
    assert.equal((await started).domain.name, 'brief');
    assert.equal((await stopped).domain.name, 'brief');
    watcher.close();
  });

  test('a hung QEMU holds up only what asks its monitor', async () => {
    const impatient = await connectIn(lab.sockets, 'qemu:///system', 300);
    const pid = lab.qemuPid('läuft');
    process.kill(pid, 'SIGSTOP');
    try {
      await assert.rejects(
        impatient.allDomainStats(statsGroups.block),
        troubleIs('timeout', /GET_ALL_DOMAIN_STATS within 300 ms/),
      );
      assert.equal(impatient.unanswered, 1);
      const free = await impatient.allDomainStats(statsGroups.state | statsGroups.interface);
      assert.equal(free.length, 2);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until('the late answer comes', () => impatient.unanswered === 0);
    assert.equal((await impatient.allDomainStats(statsGroups.block)).length, 2);
    impatient.close();
  });

  test('a libvirtd that is stopped is a timeout, and goes on where it was', async () => {
    const impatient = await connectIn(lab.sockets, 'qemu:///system', 200);
    await lab.suspend();
    try {
      await assert.rejects(
        impatient.listDomains(),
        troubleIs('timeout', /CONNECT_LIST_ALL_DOMAINS within 200 ms/),
      );
    } finally {
      lab.resume();
    }
    await until('the late answer comes', () => impatient.unanswered === 0);
    assert.equal((await impatient.listDomains()).length, 2);
    impatient.close();
  });

  test('a user whom polkit does not let in', async () => {
    // No polkitd runs here, so libvirt cannot ask it and refuses.
    await assert.rejects(
      asNobody(() => connectIn(lab.sockets)),
      troubleIs('denied', /libvirt-sock-ro: polkit: internal error: Unable to get system bus connection/),
    );
  });

  test('a socket one may not open', async () => {
    const socket = join(lab.sockets, 'libvirt-sock-ro');
    chmodSync(socket, 0o700);
    try {
      await assert.rejects(
        asNobody(() => connectIn(lab.sockets)),
        troubleIs('denied', /libvirt-sock-ro: permission denied; .*group of the socket \(normally libvirt\)/),
      );
    } finally {
      chmodSync(socket, 0o777);
    }
  });

  test('takes the socket of virtqemud first, unless the URI says otherwise', async (t) => {
    // Debian has no virtqemud: a link to the same daemon stands in for its socket.
    const directory = mkdtempSync(join(tmpdir(), 'proxtop-sockets-'));
    t.after(() => {
      rmSync(directory, { recursive: true });
    });
    await assert.rejects(
      connectIn(directory),
      troubleIs(
        'unreachable',
        /no libvirt socket: .*\/virtqemud-sock-ro and .*\/libvirt-sock-ro are not there/,
      ),
    );
    symlinkSync(join(lab.sockets, 'libvirt-sock-ro'), join(directory, 'virtqemud-sock-ro'));
    writeFileSync(join(directory, 'libvirt-sock-ro'), '');
    for (const uri of ['qemu:///system', 'qemu:///system?mode=direct'])
      (await connectIn(directory, uri)).close();
    await assert.rejects(
      connectIn(directory, 'qemu:///system?mode=legacy'),
      troubleIs('unreachable', /\/libvirt-sock-ro: nothing listens there/),
    );
    await assert.rejects(
      connectIn(directory, 'qemu:///system?mode=none'),
      troubleIs('uri', /mode=none, expected auto/),
    );
    const given = `qemu+unix:///system?socket=${join(lab.sockets, 'libvirt-sock')}`;
    (await connectIn(directory, given)).close();
    await assert.rejects(connectIn(directory, 'qemu:///session'), troubleIs('unreachable', /session/));
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`a libvirtd ended by ${signal} is noticed at once, and found again when it is back`, async () => {
      const connection = await connectIn(lab.sockets);
      const lost = once(connection, 'lost');
      await lab.stop(signal);
      const [reason] = (await lost) as [unknown];
      assert.ok(troubleIs('closed', /libvirt-sock-ro: /)(reason));
      await assert.rejects(connection.hostname(), troubleIs('closed', /libvirt-sock-ro/));
      await assert.rejects(connectIn(lab.sockets), troubleIs('unreachable', /libvirt-sock-ro/));
      await lab.start(['auth_unix_ro = "polkit"']);
      hypervisor.close();
      hypervisor = await connectIn(lab.sockets);
      const found = await hypervisor.allDomainStats(0, listFlags.active | statsFlags.noWait);
      assert.deepEqual(found.map((one) => one.domain.name).sort(), ['läuft', 'paused one']);
    });
  }
});
