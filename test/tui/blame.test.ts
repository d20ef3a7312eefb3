import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveThresholds } from '../../src/config/thresholds.ts';
import type { Row } from '../../src/catalogue/row.ts';
import type { Sample, GuestRows } from '../../src/sampling/sample.ts';
import { blame } from '../../src/tui/analysis/blame.ts';
import { blameTable } from '../../src/tui/analysis/blame-table.ts';
import { row, sampleOf, vmRows } from '../formats/sample.ts';

const thresholds = resolveThresholds(new Map());

function vm(
  name: string,
  known: Readonly<Record<string, number>>,
  devices: { disks?: Row[]; nics?: Row[] } = {},
): GuestRows {
  return vmRows(row('vm', { name, UUID: name, cpu_cores: 1, ...known }), devices);
}

/** Each shortage in one line: where, victims with what they show, culprits with their shares. */
function told(sample: Sample): string[] {
  return blame(sample, thresholds).map(
    ({ resource, where, victims, culprits }) =>
      `${resource}${where === undefined ? '' : ` ${where}`}: ${victims
        .map((victim) => `${victim.vm.row.texts[1]} ${victim.device ?? ''} ${victim.id} ${victim.verdict}`)
        .join(', ')} <- ${culprits
        .map((culprit) => `${culprit.vm?.row.texts[1] ?? 'host'} ${culprit.share.toFixed(0)}%`)
        .join(', ')}`,
  );
}

test('nobody is blamed while nobody suffers', () => {
  assert.deepEqual(
    told(sampleOf({ guests: [vm('a', { cpu_total: 100, cpu_steal: 4.9 }), vm('b', {})] })),
    [],
  );
  assert.deepEqual(told(sampleOf()), []);
});

test('who waits for a CPU stands beside who uses it, the host itself included', () => {
  const host = { row: row('host', { cpu_cores: 4, cpu_idle: 0, cpu_iowait: 0 }) };
  const vms = [
    vm('small', { cpu_total: 10, cpu_steal: 30 }),
    vm('hog', { cpu_cores: 3, cpu_total: 80, cpu_other_total: 10, cpu_steal: 2 }),
    vm('idle', { cpu_total: 0, cpu_steal: 6 }),
  ];
  assert.deepEqual(told(sampleOf({ guests: vms, host })), [
    'cpu: small  cpu_steal bad, idle  cpu_steal warn <- hog 63%, host 35%, small 3%',
  ]);
});

test('a VM that its own limit holds back accuses nobody', () => {
  const limited = vm('limited', { cpu_cores: 2, cpu_total: 50, cpu_steal: 40, cpu_throttled: 76 });
  const other = vm('other', { cpu_total: 90, cpu_steal: 1 });
  const [shortage] = blame(sampleOf({ guests: [limited, other] }), thresholds);
  assert.deepEqual(shortage?.culprits, []);
  assert.equal(shortage.victims[0]?.own, 'limit');
  const both = vm('both', { cpu_cores: 2, cpu_total: 50, cpu_steal: 60, cpu_throttled: 76 });
  const [second] = blame(sampleOf({ guests: [both, other] }), thresholds);
  assert.equal(second?.victims[0]?.own, undefined);
});

test('a container suffers by its pressure, and by its own limits of CPU and memory', () => {
  const pressed = vm('pressed', { cpu_total: 20, psi_some_cpu_avg10: 40, cpu_throttled: 0 });
  const hog = vm('hog', { cpu_total: 80 });
  assert.deepEqual(told(sampleOf({ guests: [pressed, hog] })), [
    'cpu: pressed  psi_some_cpu_avg10 bad <- hog 80%, pressed 20%',
  ]);
  // What its own limit holds back counts as waiting too.
  const limited = vm('limited', { cpu_total: 20, psi_some_cpu_avg10: 82, cpu_throttled: 80 });
  assert.deepEqual(told(sampleOf({ guests: [limited, hog] })), ['cpu: limited  cpu_throttled bad <- ']);
  const full = vm('full', { ram_used: 990, ram_limit: 1000, ram_limit_used: 99, ram_oom_kills: 1 });
  const [shortage] = blame(sampleOf({ guests: [full, vm('big', { ram_rss: 9000 })] }), thresholds);
  assert.deepEqual(
    [shortage?.resource, shortage?.victims[0]?.id, shortage?.victims[0]?.own, shortage?.culprits],
    ['memory', 'ram_oom_kills', 'limit', []],
  );
  const swapped = vm('swapped', { ram_used: 1000, ram_swap: 2 ** 21 });
  assert.deepEqual(told(sampleOf({ guests: [swapped, vm('big', { ram_rss: 3000 })] })), [
    'memory: swapped  ram_swap bad <- big 75%, swapped 25%',
  ]);
});

test('a VM that is pinned is compared with those that may run on the same CPUs', () => {
  const on = (name: string, list: string, known: Record<string, number>): GuestRows =>
    vmRows(row('vm', { name, UUID: name, cpu_cores: 1, cpu_affinity: list, ...known }));
  const host = { row: row('host', { cpu_cores: 4, cpu_idle: 0, cpu_iowait: 0 }) };
  const vms = [
    on('pinned', '2', { cpu_total: 10, cpu_steal: 30 }),
    on('hog', '2-3', { cpu_total: 90 }),
    on('elsewhere', '0-1', { cpu_total: 100 }),
    on('free', '0-3', { cpu_total: 100, cpu_steal: 7 }),
  ];
  assert.deepEqual(told(sampleOf({ guests: vms, host })), [
    'cpu 2: pinned  cpu_steal bad <- free 50%, hog 45%, pinned 5%',
    'cpu: free  cpu_steal warn <- elsewhere 25%, free 25%, host 25%, hog 23%, pinned 3%',
  ]);
});

test('disks are compared with those on the same storage', () => {
  const disk = (device: string, storage: string, known: Readonly<Record<string, number>>): Row =>
    row('vm_disk', { device, disk_storage: storage, ...known });
  const vms = [
    vm(
      'slow',
      {},
      {
        disks: [
          disk('scsi0', 'ssd', { disk_lat_avg: 1 }),
          disk('scsi1', 'hdd', { disk_lat_rd: 80, disk_reads: 5 }),
        ],
      },
    ),
    vm(
      'loader',
      {},
      {
        disks: [disk('scsi0', 'hdd', { disk_lat_avg: 3, disk_reads: 60, disk_writes: 35, disk_read_mib: 1 })],
      },
    ),
    vm('elsewhere', {}, { disks: [disk('scsi0', 'ssd', { disk_reads: 9000 })] }),
  ];
  assert.deepEqual(told(sampleOf({ guests: vms })), [
    'disk hdd: slow scsi1 disk_lat_rd bad <- loader 100%, slow 5%',
  ]);
});

test('a disk at its own limit, or on a device that answers fast, accuses nobody', () => {
  const others = (known: Readonly<Record<string, number>>, ofVm = {}): unknown => {
    const disk = row('vm_disk', { device: 'scsi0', disk_storage: 'lab', disk_reads: 25, ...known });
    const neighbour = row('vm_disk', { device: 'scsi0', disk_storage: 'lab', disk_reads: 240 });
    const vms = [vm('pg', ofVm, { disks: [disk] }), vm('backup', {}, { disks: [neighbour] })];
    const [shortage] = blame(sampleOf({ guests: vms }), thresholds);
    return [shortage?.victims[0]?.own, shortage?.culprits.map((each) => each.vm?.row.texts[1])];
  };
  const latency = { disk_lat_rd: 36, disk_lat_avg: 30 };
  const blamed = [undefined, ['backup', 'pg']];
  assert.deepEqual(others(latency), blamed, 'of the device nothing is known');
  assert.deepEqual(others({ ...latency, disk_limit_used: 100 }), ['limit', []]);
  assert.deepEqual(others({ ...latency, disk_limit_used: 100, disk_davg_rd: 0.6 }), ['limit', []]);
  assert.deepEqual(others({ ...latency, disk_limit_used: 80, disk_davg_rd: 0.6 }), ['device', []]);
  assert.deepEqual(
    others({ ...latency, disk_limit_used: 100, disk_davg_rd: 34 }),
    blamed,
    'it is slow as well',
  );
  assert.deepEqual(others({ ...latency, disk_davg_rd: 18 }), blamed);
  assert.deepEqual(others({ ...latency, disk_davg_rd: 12 }), blamed, 'each operation may have come in parts');
  assert.deepEqual(others({ ...latency, disk_davg_rd: 12, disk_kavg_rd: 24 }), ['device', []]);
  // The device answers writes fast, and it is reads that are slow.
  assert.deepEqual(others({ ...latency, disk_davg_wr: 0.6 }), blamed);
  assert.deepEqual(others({ disk_lat_fl: 45, disk_davg_wr: 0.6 }), blamed);
  const pressure = { psi_full_io_avg10: 95 };
  assert.deepEqual(
    others({ ...latency, disk_limit_used: 100 }, pressure),
    ['limit', []],
    'the VM as a whole',
  );
});

test('without a known storage all of the host are compared, and what a process moves beside its disks counts', () => {
  const vms = [
    vm('slow', { disk_lat_avg: 20, disk_reads: 1 }),
    vm('backup', { disk_reads: 0, disk_read_mib: 0, io_read_mib: 300, io_write_mib: 0 }),
  ];
  assert.deepEqual(told(sampleOf({ guests: vms })), [
    'disk: slow  disk_lat_avg warn <- slow 100%, backup 100%',
  ]);
});

test('swapping, pressure and drops have culprits of their own kind, the worst shortage first', () => {
  const vms = [
    vm('a', { ram_swap: 2 ** 30, ram_rss: 2 ** 30, psi_full_mem_avg10: 2 }),
    vm('b', { ram_rss: 3 * 2 ** 30, net_rx_mbit: 90, net_tx_mbit: 0 }),
    vm(
      'c',
      { net_rx_mbit: 5, net_tx_mbit: 5 },
      { nics: [row('vm_nic', { device: 'tap1', net_rx_drop_percent: 2 })] },
    ),
  ];
  assert.deepEqual(told(sampleOf({ guests: vms })), [
    'memory: a  ram_swap bad <- b 75%, a 25%',
    'network: c tap1 net_rx_drop_percent bad <- b 90%, c 10%',
  ]);
});

test('a shortage comes as two tables of texts', () => {
  const vms = [
    vm(
      'slow',
      { disk_lat_avg: 120.4 },
      { disks: [row('vm_disk', { device: 'scsi0', disk_storage: 'hdd', disk_lat_avg: 120.4 })] },
    ),
    vm('loader', {}, { disks: [row('vm_disk', { device: 'scsi0', disk_storage: 'hdd', disk_reads: 300 })] }),
  ];
  const [shortage] = blame(sampleOf({ guests: vms }), thresholds);
  assert.ok(shortage !== undefined);
  assert.deepEqual(blameTable(shortage), {
    title: 'Disks on hdd',
    victims: {
      heading: ['VM', 'VMID', 'DEVICE', 'SUFFERS', 'VALUE'],
      rows: [['slow', '', 'scsi0', 'LAT/avg', '120.40 ms']],
    },
    culprits: {
      heading: ['VM', 'VMID', 'SHARE', 'IOPS', 'MiB/s'],
      rows: [['loader', '', '100%', '300.0', '-']],
    },
    remarks: [],
  });
});
