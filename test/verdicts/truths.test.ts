import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textWidth } from '../../src/base/strings/glyphs.ts';
import { several, told } from './world.ts';
import type { Known, World } from './world.ts';

/** Constant values for a minute. */
const after = (world: World | ((second: number) => World)): string[] => told(60, world);
const full: Known = { cpu_idle: 0 };
const silent = { qmp: 'timeout', qmp_age: 240, cpu_total: 0 };

/** vCPUs that take so many percent of one CPU. */
function takes(percent: number, more: Known = {}): Known {
  const cores = Math.max(1, Math.ceil(percent / 100));
  return { cpu_cores: cores, cpu_total: percent / cores, ...more };
}

test('1: a monitor that does not answer is reported at once, one that others hold or that was late once is not', () => {
  assert.deepEqual(told(0, { guests: { '3107 hung-db': silent } }), [
    '3107 hung-db does not answer for 4 min',
  ]);
  assert.deepEqual(told(0, { guests: { '3107 hung-db': { ...silent, cpu_total: 40 } } }), [
    '3107 hung-db does not answer for 4 min, guest runs',
  ]);
  assert.deepEqual(after({ guests: { 3107: { ...silent, qmp: 'held' } } }), []);
  assert.deepEqual(after({ guests: { 3107: { ...silent, qmp_age: 4 } } }), []);
  assert.deepEqual(after({ guests: { 3107: { ...silent, lock: 'snapshot' } } }), []);
});

test('2: where most monitors are silent it is one line without names', () => {
  const ids = Array.from({ length: 12 }, (_, index) => 100 + index);
  const guests = several(ids, (index) => (index < 9 ? { ...silent, qmp_age: 12 + index } : {}));
  assert.deepEqual(told(3, { guests }), ['9 of 12 monitors do not answer']);
});

test('3: a guest that stopped by itself is reported at the first sample, a paused one never', () => {
  assert.deepEqual(told(0, { guests: { '3103 shop': { state: 'io-error' } } }), [
    '3103 shop stopped: disk error (storage full or gone)',
  ]);
  assert.deepEqual(after({ guests: { 3103: { state: 'paused' } } }), []);
  assert.deepEqual(after({ guests: { 3103: { state: 'prelaunch', lock: 'backup' } } }), []);
});

test('4: a guest at its own CPU limit has no culprit', () => {
  const limited = { cpu_cores: 2, cpu_total: 50, cpu_steal: 50, cpu_steal_max: 50, cpu_throttled: 98 };
  const host = full;
  assert.deepEqual(after({ host, guests: { '3105 web': limited, 3100: takes(600) } }), [
    '3105 web at its CPU limit (waits 50 %)',
  ]);
  const known = { ...limited, cpu_limit: 1, cpu_limit_used: 100 };
  assert.deepEqual(after({ host, guests: { '3105 web': known, 3100: takes(600) } }), [
    '3105 web at its CPU limit of 1 CPU (waits 50 %)',
  ]);
  const unknown = { ...known, cpu_throttled: NaN };
  assert.equal(after({ host, guests: { '3105 web': unknown, 3100: takes(600) } }).length, 1);
  const bursts = { ...known, cpu_limit_used: 40 };
  assert.deepEqual(after({ host, guests: { '3105 web': bursts, 3100: takes(600) } }), []);
});

test('5: one that takes most is named, with its share of the CPUs that are busy', () => {
  const guests = {
    '3102 pg': { ...takes(150), cpu_steal: 40, cpu_steal_max: 40 },
    '3100 ci-runner': takes(600),
  };
  assert.deepEqual(after({ host: full, guests }), ['3102 pg RDY 40 %: 3100 ci-runner takes 75 % of 8 CPUs']);
});

test('6: of many that share the CPUs none is named', () => {
  const ids = Array.from({ length: 12 }, (_, index) => 100 + index);
  const guests = several(ids, (index) => {
    const ready = 12 + (18 * index) / 11;
    return { ...takes(56 + index, { cpu_cores: 2, cpu_total: 28 + index / 2 }), cpu_steal: ready };
  });
  assert.deepEqual(after({ host: full, guests }), ['RDY 12-30 % on 12 guests: 13 of 8 CPUs wanted']);
});

test('7: the host itself is named, and who follows it', () => {
  const guests = {
    '3102 pg': { cpu_total: 20, cpu_steal: 75, cpu_steal_max: 75 },
    '3101 ci-runner': takes(80),
    ...several([103, 104, 105, 106], () => takes(32)),
  };
  const [text] = after({ host: full, guests });
  assert.match(text ?? '', /^3102 pg RDY 75 %: host 7[0-9] %, 3101 ci-runner 10 %$/);
});

test('8: a pinned guest is compared with what runs on its CPUs', () => {
  const pinned = { cpu_affinity: '1' };
  const guests = {
    3102: { ...pinned, cpu_total: 0.5, cpu_other_total: 0, cpu_steal: 30, cpu_steal_max: 30 },
    3105: { ...pinned, cpu_total: 35, cpu_other_total: 0 },
    3101: { ...takes(200), cpu_affinity: '4-7' },
  };
  const cpus = [10, 100, 5, 5, 50, 50, 50, 50];
  assert.deepEqual(after({ host: { cpu_idle: 80 }, cpus, guests }), [
    '3102 vm3102 RDY 30 % on CPU 1: host 65 %, 3105 vm3105 35 %',
  ]);
});

test('9: a guest that waits although the CPUs are idle is not a victim of load', () => {
  const guests = { 3102: { cpu_steal: 14, cpu_steal_max: 14 }, 3100: takes(200) };
  assert.deepEqual(after({ host: { cpu_idle: 70 }, guests }), [
    '3102 vm3102 RDY 14 % though CPUs are 70 % idle: not load',
  ]);
});

test('10: a guest that wants next to nothing is not a victim, unless it hardly gets to run', () => {
  const guest = (ready: number): World['guests'] => ({
    3102: { cpu_total: 0.4, cpu_steal: ready, cpu_steal_max: ready },
    3100: takes(700),
  });
  assert.deepEqual(after({ host: full, guests: guest(12) }), []);
  assert.equal(after({ host: full, guests: guest(75) }).length, 1);
});

test('11: a host that waits for its own hypervisor blames no guest', () => {
  const guests = { 3102: { cpu_steal: 30, cpu_steal_max: 30 }, 3100: takes(480) };
  assert.deepEqual(after({ host: { cpu_idle: 5, cpu_steal: 30 }, guests }), [
    '3102 vm3102 RDY 30 %: the host waits for its own hypervisor 30 %',
  ]);
});

test('12: a guest that the kernel schedules after the victim anyway is not named', () => {
  const guests = {
    3102: { cpu_total: 10, cpu_steal: 30, cpu_steal_max: 30, cpu_weight: 100 },
    3101: { ...takes(440), cpu_weight: 1 },
  };
  const [text = ''] = after({ host: full, guests });
  assert.match(text, /: host takes 4[0-9] % of 8 CPUs$/);
  assert.doesNotMatch(text, /3101/);
});

const device = { disk_device: 'sdb', disk_storage: 'local-zfs', disk_flushes: 0 };
/** A disk that does so many reads a second, of so many ms, of which its device takes some. */
function reads(rate: number, ms: number, below: number, more: Known = {}): Known {
  const latency = { disk_reads: rate, disk_writes: 0, disk_lat_rd: ms, disk_lat_avg: ms };
  return { ...device, ...latency, disk_davg_rd: below, disk_read_mib: rate / 64, disk_write_mib: 0, ...more };
}

test('13: a disk at its own limit has no culprit', () => {
  const limited = reads(25, 30, 0.6, { disk_iops_limit: 25, disk_limit_used: 100 });
  const guests = {
    '3102 postgres-main': { disks: { scsi0: limited } },
    3104: { disks: { scsi0: reads(240, 0.6, 0.6) } },
  };
  const devices = { sdb: { disk_reads: 265, disk_writes: 0, disk_read_mib: 4, disk_write_mib: 0 } };
  assert.deepEqual(after({ devices, guests }), [
    '3102 postgres-main LAT 30 ms: own limit of 25 IOPS reached (device 0.6 ms)',
  ]);
});

test('14: a slow device with the one that asks most of it, or one that is slow with little to do', () => {
  const load = (rate: number): Readonly<Record<string, Known>> => ({
    sdb: { disk_reads: rate, disk_writes: 0, disk_read_mib: rate / 64, disk_write_mib: 0 },
  });
  const guests = {
    '3102 pg': { disks: { scsi0: reads(100, 40, 38) } },
    '3104 backup-proxy': { disks: { scsi0: reads(900, 12, 12) } },
  };
  assert.deepEqual(after({ devices: load(1000), guests }), [
    'local-zfs answers in 38 ms (3102 pg): 3104 backup-proxy 90 % of 1,000 IOPS',
  ]);
  const few = { ...guests, '3104 backup-proxy': { disks: { scsi0: reads(20, 12, 12) } } };
  const little = { ...few, '3102 pg': { disks: { scsi0: reads(10, 40, 38) } } };
  assert.deepEqual(after({ devices: load(30), guests: little }), [
    'local-zfs answers in 38 ms with only 30 IOPS (3102 pg): disk, path or array',
  ]);
});

test('15: a fast device is not to blame: QEMU waits for a CPU, or it is not known what takes the time', () => {
  const guest = (wait: number): World['guests'] => ({
    '3102 pg': {
      cpu_other_total: 10,
      cpu_other_steal: wait,
      disks: { scsi0: reads(100, 80, 1) },
    },
  });
  assert.deepEqual(after({ guests: guest(90) }), ["3102 pg: QEMU's I/O threads wait 90 % for a CPU"]);
  assert.deepEqual(after({ guests: guest(0) }), ['3102 pg LAT 80 ms: not the storage (device 1 ms)']);
});

test('16: one slow operation of few, and one slow poll of three, are not a symptom', () => {
  assert.deepEqual(after({ guests: { 3102: { disks: { scsi0: reads(0.5, 100.8, 0.5) } } } }), []);
  const once = (second: number): World => {
    const isSlow = second >= 30 && second < 40;
    return {
      guests: { 3102: { detail_age: second % 10, disks: { scsi0: reads(20, isSlow ? 60 : 2, 1) } } },
    };
  };
  for (const seconds of [35, 41, 44, 50, 60]) assert.deepEqual(told(seconds, once), [], String(seconds));
});

test('17: a guest in backup waits for its backup, and not for its neighbours', () => {
  const writes = { disk_reads: 0, disk_writes: 50, disk_lat_wr: 60, disk_lat_avg: 60, disk_davg_wr: 2 };
  const guests = {
    3102: { lock: 'backup', disks: { scsi0: { ...device, ...writes, disk_read_mib: 0, disk_write_mib: 1 } } },
    3104: { disks: { scsi0: reads(800, 2, 2) } },
  };
  assert.deepEqual(after({ guests }), ['3102 vm3102 writes take 60 ms: its backup runs (device 2 ms)']);
});

test('18: slow flushes alone', () => {
  const flushes = { disk_flushes: 20, disk_lat_fl: 45, disk_lat_rd: 0.5, disk_lat_wr: 0.5, disk_writes: 40 };
  const known = { ...reads(40, 0.5, 0.4), ...flushes, disk_lat_avg: (20 * 45 + 80 * 0.5) / 100 };
  assert.deepEqual(after({ guests: { 3102: { disks: { scsi0: known } } } }), [
    '3102 vm3102 flushes take 45 ms: no safe write cache below',
  ]);
});

test('19: cold data in swap is harmless, data read back is not', () => {
  const swapped = (faults: number): World['guests'] => ({
    3102: { ram_swap: 512 * 2 ** 20, ram_majflt: faults },
  });
  assert.deepEqual(after({ guests: swapped(0) }), []);
  assert.deepEqual(after({ guests: swapped(120) }), [
    '3102 vm3102 reads memory back from swap: 120 faults/s',
  ]);
  assert.deepEqual(after({ guests: { 3102: { ram_swap: 0, ram_majflt: 500 } } }), [], 'of files');
});

test('21: processes killed by the limit of a container, or by a host without memory', () => {
  const world =
    (known: Known, host: Known = {}) =>
    (second: number): World => ({
      host,
      guests: { '901 web': { guest_type: 'lxc', ...known, ...(second === 20 && { ram_oom_kills: 2 }) } },
    });
  const MIB = 2 ** 20;
  const atLimit = world({ ram_limit: 512 * MIB, ram_limit_used: 99, ram_oom_kills: 0 });
  assert.deepEqual(told(20, atLimit), ['901 web: 2 processes killed, own limit 512 MiB full']);
  // Somebody lifts the limit then: how large it was is no longer known.
  const lifted = world({ ram_oom_kills: 0 });
  assert.deepEqual(
    told(25, (second) => (second <= 20 ? atLimit(second) : lifted(second))),
    ['901 web: 2 processes killed, own limit full'],
  );
  assert.equal(told(75, atLimit).length, 1);
  assert.deepEqual(told(85, atLimit), []);
  const noMemory = { ram_obtainable: 2 ** 30 };
  const [first, host] = told(20, world({ ram_oom_kills: 0 }, noMemory));
  assert.equal(first, '901 web: 2 processes killed, the host had no memory');
  assert.match(host ?? '', /^memory: 0.8 % available, guests hold /);
  // At the first read there is a counter and no rate.
  assert.deepEqual(after({ guests: { '901 web': { guest_type: 'lxc' } } }), []);
});

test('22: a container that uses all it has, pressure without operations, and bursts into a limit', () => {
  const lxc = { guest_type: 'lxc' };
  const busy = { ...lxc, cpu_cores: 2, cpu_total: 100, psi_some_cpu_avg10: 60, cpu_affinity: '0-1' };
  const cpus = Array.from({ length: 8 }, () => 100);
  assert.deepEqual(after({ host: full, cpus, guests: { '902 app': busy } }), [
    '902 app uses all of its 2 cores',
  ]);
  assert.deepEqual(after({ guests: { '902 app': { ...lxc, psi_some_io_avg10: 99 } } }), []);
  const bursts = { ...lxc, cpu_total: 3.75, cpu_limit: 1, cpu_limit_used: 30, cpu_throttled: 40 };
  assert.deepEqual(after({ guests: { '902 app': { ...bursts, psi_some_cpu_avg10: 60 } } }), []);
});

test('22: a container at its CPU limit, also where it is not known how long that held it back', () => {
  const limited = {
    guest_type: 'lxc',
    cpu_total: 12.5,
    cpu_limit: 1,
    cpu_limit_used: 99,
    psi_some_cpu_avg10: 80,
  };
  const told = (throttled: number): string[] =>
    after({ host: full, guests: { '902 app': { ...limited, cpu_throttled: throttled }, 3100: takes(700) } });
  assert.deepEqual(told(70), ['902 app at its CPU limit of 1 CPU (held back 70 %)']);
  assert.deepEqual(told(NaN), ['902 app at its CPU limit of 1 CPU (waits 80 %)']);
});

test('22: a container that others keep from the CPUs', () => {
  const pressed = { guest_type: 'lxc', cpu_total: 5, psi_some_cpu_avg10: 60 };
  assert.deepEqual(after({ host: full, guests: { '902 app': pressed, '3100 ci': takes(700) } }), [
    '902 app waits 60 %: 3100 ci takes 88 % of 8 CPUs',
  ]);
});

test('23: lost packets, by what keeps the guest from taking them', () => {
  const nic = (packets: number): Readonly<Record<string, Known>> => ({
    tap1: { net_rx_packets: packets * 0.96, net_rx_drop_percent: 4, net_rx_mbit: 9, net_tx_mbit: 1 },
  });
  const busy = { cpu_total: 99, cpu_total_max: 99, vcpus: { 0: { cpu_total: 99 } } };
  assert.deepEqual(after({ guests: { 3102: { ...busy, nics: nic(2000) } } }), [
    '3102 vm3102 loses 4 % of incoming packets: its vCPU 0 is full (99 %)',
  ]);
  assert.deepEqual(after({ guests: { 3102: { ...busy, nics: nic(4) } } }), []);
  const waits = { cpu_total: 20, cpu_steal: 40, cpu_steal_max: 40, nics: nic(2000) };
  assert.deepEqual(after({ host: full, guests: { 3102: waits, '3100 ci': takes(740) } }), [
    '3102 vm3102 RDY 40 %: 3100 ci takes 93 % of 8 CPUs',
  ]);
  assert.deepEqual(after({ guests: { 3102: { ...busy, state: 'paused', nics: nic(2000) } } }), []);
});

test('a sentence takes 79 columns at most, also where a character of a name takes two', () => {
  const name = '仮想'.repeat(15);
  const [text = ''] = after({
    host: full,
    guests: {
      [`3102 ${name}`]: { cpu_total: 30, cpu_steal: 40, cpu_steal_max: 40 },
      [`3100 ${name}`]: takes(740),
    },
  });
  assert.match(text, /^3102 仮想.*~ RDY 40 %: 3100 仮想.*~ takes 93 % of 8 CPUs$/);
  assert.ok(textWidth(text) <= 79, `${textWidth(text)} columns: ${text}`);
  assert.ok(textWidth(text) > 60, 'and not much less');
});

test('24: of a healthy busy host there is nothing to tell', () => {
  const ids = Array.from({ length: 20 }, (_, index) => 200 + index);
  const guests = several(ids, (index) => ({
    ...takes(30, { cpu_cores: 4, cpu_total: 8 }),
    cpu_steal: index % 5,
    cpu_steal_max: 2 * (index % 5),
    ram_swap: index === 3 ? 2 ** 30 : 0,
    ram_majflt: index === 3 ? 2 : 0,
    lock: index === 4 ? 'backup' : '',
    cpu_other_total: 20,
    cpu_other_steal: 3,
    disks: { scsi0: reads(index === 0 ? 7000 : 150, 0.5, 0.3, { disk_device: 'nvme0n1' }) },
    nics: { tap: { net_rx_packets: 5000, net_rx_drop_percent: 0, net_rx_mbit: 40, net_tx_mbit: 40 } },
  }));
  const host = { cpu_idle: 8, cpu_load1: 11.2, psi_some_cpu_avg10: 45, cpu_overcommit: 6.2 };
  const nvme = { disk_util: 100, disk_await: 0.3, disk_queue_depth: 12, disk_reads: 10_000, disk_writes: 0 };
  for (const seconds of [10, 30, 60])
    assert.deepEqual(told(seconds, { host, devices: { nvme0n1: nvme }, guests }), []);
});
