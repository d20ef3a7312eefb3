import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diskCounters } from '../../src/guests/guest.ts';
import { monitorAnswered, readCpu, readDetail, readNics } from '../../src/guests/libvirt/libvirt-stats.ts';
import { readDevices } from '../../src/guests/libvirt/libvirt-xml.ts';
import { netDevCounters } from '../../src/kernel/proc/proc-net-dev.ts';
import type { TypedParameters } from '../../src/libvirt/typed-parameters.ts';
import { capture } from '../libvirt/captures.ts';

interface DecodedStats {
  readonly dom: { readonly name: string };
  readonly params: readonly (readonly [name: string, type: number, value: number | string | boolean])[];
}

/** What a real libvirtd told of a domain, as another reader decoded it. */
function recorded(name: string): TypedParameters {
  const all = capture('GET_ALL_DOMAIN_STATS (344) stats=0 (all) doms').decoded as readonly DecodedStats[];
  const found = all.find(({ dom }) => dom.name === name);
  assert.ok(found);
  return new Map(found.params.map(([key, , value]) => [key, value]));
}

/** Statistics that no domain of the recording has. */
const made = (values: Record<string, number | string>) => new Map(Object.entries(values));

test('disks and balloon of a domain, in our units', () => {
  const { time, disks, balloon, rss } = readDetail(recorded('lv0'), 12.5, readDevices(''));
  assert.equal(time, 12.5);
  assert.equal(disks.length, 1);
  const { counters, ...disk } = disks[0]!;
  assert.deepEqual(disk, {
    device: 'vda',
    path: '/srv/vm-01/disks/d0.raw',
    capacity: 8388608,
    allocation: 1536,
    physical: 8192,
  });
  assert.deepEqual(
    diskCounters.map((name, index) => [name, counters.value(index)]),
    [
      ['rdOps', 22152],
      ['wrOps', 22150],
      ['flOps', 0],
      ['rdBytes', 11341824],
      ['wrBytes', 11340800],
      ['rdTime', 60661409331],
      ['wrTime', 141545928466],
      ['flTime', 0],
      ['failures', NaN],
    ],
  );
  assert.deepEqual(balloon, { actual: 2 ** 25, max: 2 ** 25 });
  assert.equal(rss, 46112 * 1024);
});

test('what the guest reports through its balloon', () => {
  const parameters = made({
    ...{ 'balloon.current': 1024, 'balloon.maximum': 2048, 'balloon.available': 1000, 'balloon.unused': 300 },
    ...{ 'balloon.swap_in': 5, 'balloon.swap_out': 6, 'balloon.rss': 1 },
  });
  assert.deepEqual(readDetail(parameters, 0, readDevices('')).balloon, {
    actual: 1024 * 1024,
    max: 2048 * 1024,
    total: 1000 * 1024,
    free: 300 * 1024,
    swapIn: 5 * 1024,
    swapOut: 6 * 1024,
  });
});

test('a report that is old or cannot be true does not count', () => {
  const now = Math.floor(Date.now() / 1000);
  const balloonOf = (more: Record<string, number>): unknown => {
    const balloon = { 'balloon.current': 1024, 'balloon.maximum': 2048, 'balloon.available': 1000, ...more };
    return readDetail(made(balloon), 0, readDevices('')).balloon;
  };
  const host = { actual: 1024 * 1024, max: 2048 * 1024 };
  const { age, ...old } = balloonOf({ 'balloon.unused': 300, 'balloon.last-update': now - 777_600 }) as {
    age: number;
  };
  assert.deepEqual(old, host);
  assert.ok(age >= 777_600 && age < 777_700, String(age));
  assert.deepEqual(balloonOf({ 'balloon.unused': 1001 }), host);
  assert.deepEqual(balloonOf({ 'balloon.unused': 300, 'balloon.last-update': 0 }), host);
  assert.deepEqual(balloonOf({ 'balloon.unused': -300 }), { ...host, total: 1000 * 1024 });
});

test('the resident size that libvirt tells leaves huge pages out', () => {
  const { rss } = readDetail(recorded('lv0'), 0, { ...readDevices(''), hugePages: true });
  assert.equal(rss, undefined);
});

test('CPU time of each vCPU; a gap is one that was unplugged', () => {
  assert.deepEqual(readCpu(recorded('lv0')), {
    vcpus: [
      { number: 0, run: 102240000000, wait: 210118648931 },
      { number: 1, run: 0, wait: 8613570 },
    ],
    cpuTime: 173252456000,
  });
  const unplugged = {
    'vcpu.maximum': 4,
    'vcpu.0.time': 1,
    'vcpu.0.delay': 2,
    'vcpu.3.time': 5,
    'cpu.time': 9,
  };
  assert.deepEqual(readCpu(made(unplugged)), {
    vcpus: [
      { number: 0, run: 1, wait: 2 },
      { number: 3, run: 5, wait: NaN },
    ],
    cpuTime: 9,
  });
  assert.deepEqual(readCpu(made({ 'vcpu.maximum': 2 })), {});
});

test('interfaces have the counters of the guest', () => {
  const [nic, ...more] = readNics(recorded('lv0'));
  assert.deepEqual(more, []);
  assert.deepEqual([nic?.device, nic?.end], ['lvtap0', 'guest']);
  const { rxBytes, rxPackets, txBytes, rxFifo } = netDevCounters;
  assert.deepEqual(
    [rxBytes, rxPackets, txBytes, rxFifo].map((column) => nic?.counters.value(column)),
    [90, 1, 0, NaN],
  );
  assert.deepEqual(readNics(recorded('lv2')), []);
});

test('an interface without a name is none on the host, and the list may have gaps', () => {
  const parameters = made({
    'net.count': 3,
    'net.0.rx.bytes': 1,
    'net.2.name': 'vnet2',
    'net.2.rx.bytes': 7,
  });
  assert.deepEqual(
    readNics(parameters).map(({ device, counters }) => [device, counters.value(netDevCounters.rxBytes)]),
    [['vnet2', 7]],
  );
});

test('removable drives are left out, and a disk without sizes has none', () => {
  const parameters = made({
    'block.count': 3,
    'block.0.name': 'sda',
    'block.2.name': 'vda',
    'block.2.rd.reqs': 1,
  });
  const { disks } = readDetail(parameters, 0, { ...readDevices(''), removable: new Set(['sda']) });
  assert.deepEqual(
    disks.map(({ counters, ...disk }) => [disk, counters.value(0), counters.value(1)]),
    [[{ device: 'vda' }, 1, NaN]],
  );
});

test('what libvirt tells of a domain whose QEMU hangs', () => {
  assert.ok(monitorAnswered(recorded('lv0')));
  // As libvirtd 9.0.0 answered while QEMU was stopped by SIGSTOP.
  const hung = made({
    ...{ 'balloon.current': 32768, 'balloon.maximum': 32768, 'vcpu.current': 2, 'vcpu.maximum': 2 },
    ...{ 'vcpu.0.state': 1, 'vcpu.0.time': 10000000, 'vcpu.0.delay': 11876428 },
    ...{
      'block.count': 1,
      'block.0.name': 'vda',
      'block.0.path': '/srv/hung.img',
      'block.0.backingIndex': 1,
    },
  });
  assert.ok(!monitorAnswered(hung));
  hung.delete('balloon.current');
  assert.ok(!monitorAnswered(hung), 'asked about its disks alone');
  assert.ok(monitorAnswered(new Map([...hung, ['block.0.rd.reqs', 0]])));
});

test('a server that claims billions of everything is not searched for them', { timeout: 5000 }, () => {
  const claimed = { 'block.count': 2 ** 32 - 1, 'net.count': 2 ** 32 - 1, 'vcpu.maximum': 2 ** 32 - 1 };
  const parameters = made({ ...claimed, 'block.7.name': 'vda', 'net.7.name': 'vnet7', 'vcpu.7.time': 5 });
  assert.deepEqual(
    readDetail(parameters, 0, readDevices('')).disks.map(({ device }) => device),
    ['vda'],
  );
  assert.deepEqual(
    readNics(parameters).map(({ device }) => device),
    ['vnet7'],
  );
  assert.deepEqual(
    readCpu(parameters).vcpus?.map(({ number }) => number),
    [7],
  );
});
