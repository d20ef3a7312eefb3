import assert from 'node:assert/strict';
import { test } from 'node:test';
import { told, verdictsAfter } from './world.ts';
import type { Known, World } from './world.ts';

const GIB = 2 ** 30;
const after = (world: World | ((second: number) => World)): string[] => told(60, world);

test('failed operations are told from the second of three answers on, and for a minute', () => {
  const disk = { disk_reads: 10, disk_writes: 0, disk_lat_avg: 1 };
  const world =
    (beats: readonly number[]) =>
    (second: number): World => ({
      guests: {
        '3102 pg': {
          detail_age: second % 10,
          disks: { scsi0: { ...disk, disk_errors: beats.includes(Math.floor(second / 10)) ? 12 : 0 } },
        },
      },
    });
  assert.deepEqual(told(35, world([2])), []);
  assert.deepEqual(told(35, world([1, 3])), ['3102 pg scsi0: 12 failed operations/s']);
  assert.deepEqual(told(55, world([1, 3])), ['3102 pg scsi0: operations failed']);
  assert.deepEqual(told(120, world([1, 3])), []);
});

test('a host that is short of memory, with what guests hold and balloons gave', () => {
  const guests = {
    3101: { ram_rss: 100 * GIB, ram_ballooned: 12 * GIB },
    '901 web': { guest_type: 'lxc', ram_used: 12 * GIB },
  };
  const left = (gib: number, more: Known = {}): World => ({
    host: { ram_obtainable: gib * GIB, ...more },
    guests,
  });
  assert.deepEqual(after(left(4)), [
    'memory: 3.1 % available, guests hold 112 GiB of 128 GiB; balloons gave 12 GiB',
  ]);
  assert.deepEqual(after(left(10)), []);
  assert.equal(after(left(10, { psi_some_mem_avg10: 12 })).length, 1);
  assert.equal(after(left(10, { ram_pswpin: 4 * 2 ** 20 })).length, 1);
  assert.deepEqual(after(left(30, { ram_pswpin: 4 * 2 ** 20 })), []);
  // From 4 to 6 percent a verdict that there is stays, and none begins.
  assert.deepEqual(after(left(6.4)), []);
  assert.equal(after((second) => left(second < 20 ? 4 : 6.4)).length, 1);
  // While nothing of it can be read what is told stays, without numbers that nobody knows.
  const unread: World = { host: { ram_obtainable: NaN, ram_total: NaN }, guests };
  for (let last = 20; last < 40; last++)
    for (const text of told(last, (second) => (second < 20 ? left(4) : unread)))
      assert.doesNotMatch(text, /NaN/);
});

test('a guest that waits for memory: from swap on a short host, at its own limit, with its balloon', () => {
  const swaps = { ram_swap: GIB, ram_majflt: 120 };
  const host = { ram_obtainable: 4 * GIB };
  const [first] = after({ host, guests: { '3102 pg': swaps } });
  assert.equal(first, '3102 pg reads memory back from swap: 120 faults/s; the host is short of memory');
  const limited = { guest_type: 'lxc', psi_full_mem_avg10: 12, ram_limit: GIB / 2, ram_limit_used: 99 };
  assert.deepEqual(after({ guests: { '901 web': limited } }), [
    '901 web waits 12 % for memory: own limit of 512 MiB full',
  ]);
  const inside = { ram_ballooned: 4 * GIB, ram_max: 8 * GIB, ram_swapin: 4 * 2 ** 20 };
  const fresh = { ...inside, ram_guest_age: 5 };
  assert.deepEqual(after({ guests: { '3106 app': fresh } }), [
    '3106 app swaps inside: balloon took 4 GiB of 8 GiB',
  ]);
  assert.deepEqual(after({ guests: { '3106 app': { ...fresh, ram_guest_age: 300 } } }), []);
  assert.deepEqual(after({ guests: { '3106 app': { ...fresh, ram_ballooned: 0 } } }), []);
});

test('a NIC of the host that is full in one direction; nothing of what has no wire', () => {
  const guests = {
    '3101 web': { nics: { tap1: { net_rx_mbit: 10, net_tx_mbit: 7500, net_rx_packets: 1000 } } },
  };
  const nic = { net_speed: 10_000, net_rx_mbit: 100, net_tx_mbit: 9400 };
  assert.deepEqual(after({ nics: { eno1: nic }, guests }), [
    'eno1 sends 9.4 of 10 Gbit/s: 3101 web at most 80 %',
  ]);
  for (const name of ['tap3101i0', 'vmbr0', 'bond0', 'eno1.20'])
    assert.deepEqual(after({ nics: { [name]: nic }, guests }), [], name);
});

test('a NIC at its own rate limit, and a guest that does not fetch its packets', () => {
  const nic = { net_rx_packets: 2000, net_rx_drop_percent: 4, net_rx_mbit: 99, net_tx_mbit: 1 };
  const limited = { ...nic, net_limit_used: 100, net_mbit_limit: 100 };
  assert.deepEqual(after({ guests: { '3102 pg': { nics: { tap: limited } } } }), [
    '3102 pg loses 4 % of incoming packets: own limit of 100 Mbit/s reached',
  ]);
  assert.deepEqual(after({ guests: { '3102 pg': { nics: { tap: nic } } } }), [
    '3102 pg loses 4 % of incoming packets: it does not fetch them fast enough',
  ]);
});

test('a disk on an unknown device has no culprit; a full thread of QEMU is reported', () => {
  const slow = { disk_reads: 100, disk_writes: 0, disk_lat_rd: 80, disk_lat_avg: 80 };
  const neighbour = { disks: { scsi0: { ...slow, disk_reads: 5000, disk_lat_rd: 1, disk_lat_avg: 1 } } };
  assert.deepEqual(after({ guests: { '3102 pg': { disks: { scsi0: slow } }, 3104: neighbour } }), [
    '3102 pg LAT 80 ms: the device below is not known',
  ]);
  const full = { cpu_other_max: 97, cpu_other_busiest: 'IO iothread0', disks: { scsi0: slow, scsi1: {} } };
  assert.deepEqual(after({ guests: { '3102 pg': full } }), [
    '3102 pg scsi0 LAT 80 ms: thread IO iothread0 is full (97 %)',
  ]);
});

test('of two that wait the one that takes much more is named', () => {
  const waits = { cpu_affinity: '1', cpu_steal: 45, cpu_steal_max: 45, cpu_other_total: 0 };
  const guests = {
    '3100 hog': { ...waits, cpu_total: 55 },
    '3101 small': { ...waits, cpu_total: 20 },
  };
  const [text] = after({ cpus: [5, 100], host: { cpu_cores: 2, cpu_idle: 48 }, guests });
  assert.equal(text, 'RDY 45 % on 2 guests on CPU 1: 3100 hog 55 %, host 25 %');
});

test('a rule whose values are not known says nothing', () => {
  const nothing = { cpu_idle: NaN, cpu_steal: NaN, ram_obtainable: NaN, cpu_cores: NaN };
  const known = { cpu_total: NaN, cpu_steal: NaN, cpu_steal_max: NaN, cpu_other_steal: NaN, cpu_cores: NaN };
  const world = { host: nothing, guests: { 3102: { ...known, disks: { scsi0: {} }, nics: { tap: {} } } } };
  assert.deepEqual(after(world), []);
  assert.deepEqual(after({ host: nothing, guests: { 3102: { cpu_steal: 60, cpu_steal_max: 60 } } }), []);
});

test('victims and takers come with the verdict, the worst and the greediest first', () => {
  const guests = {
    '3102 pg': { cpu_total: 20, cpu_steal: 20, cpu_steal_max: 20 },
    '3103 app': { cpu_total: 20, cpu_steal: 60, cpu_steal_max: 60 },
    '3100 ci': { cpu_cores: 8, cpu_total: 80 },
  };
  const [verdict] = verdictsAfter(60, { host: { cpu_idle: 0 }, guests });
  assert.deepEqual(
    verdict?.victims.map(({ guest, suffers }) => [guest.guest.name, suffers]),
    [
      ['app', 'RDY 60 %'],
      ['pg', 'RDY 20 %'],
    ],
  );
  assert.deepEqual(
    verdict.takers.map(({ guest, name, share }) => [
      guest === undefined ? name : guest.guest.name,
      Math.round(share),
    ]),
    [
      ['ci', 80],
      ['host', 15],
      ['pg', 3],
      ['app', 3],
    ],
  );
});

test('memory on other NUMA nodes, of a guest that works and has much of it', () => {
  const two = [64 * GIB, 64 * GIB];
  const guest = { cpu_total: 60, ram_rss: 8 * GIB, ram_numa_local: 64 };
  const of = (more: Known = {}, numa: readonly number[] = two): World => ({
    numa,
    guests: { '3108 db': { ...guest, ...more } },
  });
  const late = (world: World | ((second: number) => World)): string[] => told(80, world);
  assert.deepEqual(late(of()), ['3108 db: 36 % of its memory is on the other NUMA node']);
  assert.deepEqual(late(of({}, [...two, 64 * GIB])), ['3108 db: 36 % of its memory is on other NUMA nodes']);
  assert.deepEqual(late({ numa: two, guests: { 1: guest, 2: { ...guest, ram_numa_local: 40 } } }), [
    '2 guests: 36-60 % of their memory is on the other NUMA node',
  ]);
  assert.deepEqual(
    verdictsAfter(80, of()).map((verdict) => verdict.class),
    [6],
  );
  // It has held for too short a time; it is near enough, idle, small, larger than a node; the host has one node, or none is known.
  assert.deepEqual(told(55, of()), []);
  const healthy: readonly World[] = [
    of({ ram_numa_local: 81 }),
    of({ cpu_total: 40 }),
    of({ ram_rss: GIB / 2 }),
    of({ ram_rss: 65 * GIB }),
    of({ lock: 'migrate' }),
    of({}, [64 * GIB]),
    of({}, []),
    of({}, [NaN, NaN]),
    { numa: two, guests: { 3108: { cpu_total: 60, ram_rss: 8 * GIB } } },
  ];
  for (const world of healthy) assert.deepEqual(late(world), []);
  // From 80 to 85 percent a verdict that there is stays, and none begins.
  assert.equal(late((second) => of({ ram_numa_local: second < 70 ? 64 : 84 })).length, 1);
  assert.deepEqual(
    late((second) => of({ ram_numa_local: second < 40 ? 64 : 84 })),
    [],
  );
  assert.deepEqual(
    told(100, (second) => of({ ram_numa_local: second < 70 ? 64 : 90 })),
    [],
  );
});
