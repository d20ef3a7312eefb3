import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { EsxtopPrinter } from '../../src/formats/esxtop/esxtop.ts';
import { withoutColumns } from '../../src/formats/esxtop/host-columns.ts';
import type { Sample, GuestRows } from '../../src/sampling/sample.ts';
import { completeSample, row, sampleOf, vmRows } from './sample.ts';

function vm(uuid: string, name: string, more: Record<string, number | string> = {}): GuestRows {
  return vmRows(row('vm', { UUID: uuid, name, ...more }));
}

function printed(printer: EsxtopPrinter, ...samples: Sample[]): string {
  return Buffer.concat(samples.flatMap((sample) => printer.print(sample))).toString();
}

/** What Python's csv module, on which most readers of such files are built, makes of it. */
function table(text: string): string[][] {
  const program = 'import csv, json, sys; print(json.dumps(list(csv.reader(sys.stdin))))';
  return JSON.parse(
    execFileSync('python3', ['-c', program], { input: text, encoding: 'utf8' }),
  ) as string[][];
}

/** The cells under a column, without its `\\host\`. */
function column(rows: readonly string[][], name: string): (string | undefined)[] {
  const index = rows[0]?.findIndex((header) => header.replace(/^\\\\[^\\]*\\/, '') === name) ?? -1;
  assert.ok(index > 0, `no column ${name} in\n${rows[0]?.join('\n')}`);
  return rows.slice(1).map((cells) => cells[index]);
}

test('a line for each sample, a column for each counter, one header', () => {
  const web = vmRows(
    row('vm', {
      UUID: 'u1',
      vmid: '100',
      name: 'web',
      cpu_cores: 4,
      cpu_total: 50,
      cpu_steal: 2.5,
      cpu_other_total: 7,
      ram_total: 2 ** 30,
      ram_swap: 3 * 2 ** 20,
      disk_reads: 3,
      disk_writes: 4,
      disk_commands: 9,
      psi_some_mem_avg10: 1.5,
      psi_full_mem_avg10: 0.5,
    }),
    {
      vcpus: [row('vm_vcpu', { device: '0', cpu_steal: 5 })],
      disks: [
        row('vm_disk', {
          device: 'scsi0',
          disk_reads: 30,
          disk_writes: 10,
          disk_lat_rd: 1.5,
          disk_lat_avg: 6.5,
          disk_kavg_rd: 5,
          disk_kavg_wr: 1,
          disk_davg_rd: 1,
          disk_davg_wr: 7,
        }),
        row('vm_disk', { device: 'scsi1', disk_reads: 0, disk_writes: 0 }),
        // It only flushes.
        row('vm_disk', {
          device: 'scsi2',
          disk_reads: 0,
          disk_writes: 0,
          disk_commands: 2,
          disk_lat_avg: 30,
        }),
      ],
      nics: [row('vm_nic', { device: 'tap100i0', net_rx_mbit: 8 })],
    },
  );
  const host = {
    row: row('host', {
      host_name: 'pve1',
      cpu_idle: 60,
      cpu_iowait: 10,
      cpu_cores: 8,
      cpu_load1: 4,
      ram_swapused: 2 * 2 ** 20,
      ram_slab: 4 * 2 ** 20,
      ram_kernelstack: 2 * 2 ** 20,
      ram_pagetables: 2 ** 20,
    }),
    cpus: [row('host_cpu', { device: '0', cpu_busy: 99 }), row('host_cpu', { device: '1', cpu_busy: 1 })],
    disks: [row('host_disk', { device: 'nvme0n1', disk_await: 0.25 })],
    nics: [row('host_nic', { device: 'eno1', net_tx_packets: 12 })],
  };
  const printer = new EsxtopPrinter();
  const rows = table(printed(printer, sampleOf({ guests: [web], host }), sampleOf({ guests: [web], host })));
  assert.equal(rows.length, 3);
  assert.equal(rows[0]?.[0], '(PDH-CSV 4.0) (UTC)(0)');
  assert.equal(rows[0][1], '\\\\pve1\\Physical Cpu(_Total)\\% Processor Time');
  assert.deepEqual(
    rows.map(({ length }) => length),
    [rows[0].length, rows[0].length, rows[0].length],
  );
  assert.equal(rows[1]?.[0], '11/22/2026 12:00:00');
  const expected = {
    'Physical Cpu(_Total)\\% Util Time': '30',
    'Physical Cpu Load\\Cpu Load (1 Minute Avg)': '0.5',
    'Group Cpu(100:web)\\% Run': '200',
    'Group Cpu(100:web)\\% Used': '207',
    'Group Cpu(100:web)\\% Ready': '10',
    'Group Cpu(100:web)\\% Max Limited': 'NaN',
    'Group Cpu(100:web)\\% Wait': '190',
    'Group Cpu(100:web)\\% CPU Latency': '2.5',
    'Group Cpu(100:web)\\% CoStop': 'NaN',
    'Group Cpu(100:web)\\% Swap Wait': '0.5',
    'Group Cpu(100:web)\\% Memory Latency': '1.5',
    'Physical Cpu(0)\\% Util Time': '99',
    'Physical Cpu(1)\\% Util Time': '1',
    'Memory\\Swap Used MBytes': '2',
    'Memory\\Kernel MBytes': '7',
    'Virtual Disk(web:scsi0:0)\\Average Kernel MilliSec/Command': '4',
    'Virtual Disk(web:scsi0:0)\\Average Driver MilliSec/Command': '2.5',
    'Virtual Disk(web:scsi0:0)\\Average Guest MilliSec/Command': '6.5',
    'Virtual Disk(web:scsi1:0)\\Average Guest MilliSec/Command': '0',
    'Virtual Disk(web:scsi1:0)\\Average MilliSec/Write': '0',
    'Vcpu(100:web:0:vmx-vcpu-0)\\% Ready': '5',
    'Group Memory(100:web)\\Memory Size MBytes': '1024',
    'Group Memory(100:web)\\Swapped MBytes': '3',
    'Virtual Disk(web:scsi2:0)\\Average Guest MilliSec/Command': '30',
    'Virtual Disk(web)\\Commands/sec': '9',
    'Virtual Disk(web:scsi0:0)\\Average MilliSec/Read': '1.5',
    'Network Port(host:tap100i0:100:web)\\MBits Received/sec': '8',
    'Network Port(host:eno1:eno1)\\Packets Transmitted/sec': '12',
    'Physical Disk SCSI Device(nvme0n1)\\Average Driver MilliSec/Command': '0.25',
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual(column(rows, name), [value, value], name);
  }
});

test('a VM that ends leaves NaN and comes back to its columns; a later one has none, and that is told once', () => {
  const told: unknown[] = [];
  const note = (name: unknown): void => void told.push(name);
  subscribe(withoutColumns.name, note);
  try {
    const first = vm('u1', 'first', { cpu_cores: 1, cpu_total: 1 });
    const again = vm('u1', 'first', { cpu_cores: 1, cpu_total: 3 });
    const late = vm('u2', 'late', { cpu_cores: 1, cpu_total: 9 });
    const printer = new EsxtopPrinter();
    const rows = table(
      printed(
        printer,
        sampleOf({ guests: [first] }),
        sampleOf({ guests: [late] }),
        sampleOf({ guests: [late, again] }),
      ),
    );
    assert.deepEqual(column(rows, 'Group Cpu(0:first)\\% Run'), ['1', 'NaN', '3']);
    assert.ok(!rows[0]?.some((name) => name.includes('late')));
    assert.deepEqual(told, ['late']);

    printer.begin();
    const next = table(printed(printer, sampleOf({ guests: [late] })));
    assert.deepEqual(column(next, 'Group Cpu(0:late)\\% Run'), ['9']);
  } finally {
    unsubscribe(withoutColumns.name, note);
  }
});

test('whatever the names hold, columns are unique and can be split by simple readers', () => {
  const names = ['a,b', 'a"b', 'a\\b', 'a:b', 'a(b)', 'a\nb', 'a\u001b[31mb', 'web', 'web', 'web'];
  const vms = names.map((name, index) => vm(`u${index}`, name, { vmid: String(100 + index) }));
  const header = printed(new EsxtopPrinter(), sampleOf({ guests: vms })).split('\n')[0] ?? '';
  const cells = header.split(',');
  assert.equal(new Set(cells).size, cells.length);
  for (const cell of cells.slice(1)) assert.match(cell, /^"\\\\[^\\"]+\\[^\\"]+\\[^\\"]+"$/);
  assert.ok(cells.some((cell) => cell.includes('Virtual Disk(web 108)')));
});

test('every counter is made of what is measured, and only of collectors that ran', () => {
  const full = completeSample(
    () => 1,
    (id) => id,
  );
  const alone = { ...full, agent: { ...full.agent, nodes: [] } };
  const rows = table(printed(new EsxtopPrinter(), alone));
  assert.ok((rows[1]?.length ?? 0) > 50);
  const unknown = rows[0]
    ?.filter((_, index) => rows[1]?.[index] === 'NaN')
    .map((name) => name.split('\\').at(-1));
  assert.deepEqual([...new Set(unknown)].sort(), [
    '% CoStop',
    'Average Driver MilliSec/Command',
    'Average Kernel MilliSec/Command',
  ]);
  assert.ok(
    rows.flat().every((cell) => cell !== ''),
    'a reader that expects a number finds one',
  );
  const some = table(printed(new EsxtopPrinter(), { ...alone, collectors: ['mem'] }));
  assert.ok(some[0]?.slice(1).every((name) => /\\(Group )?Memory/.test(name)));
});

test('times are whole seconds, the nearest ones', () => {
  for (const ms of [-400, 0, 400]) {
    const text = printed(new EsxtopPrinter(), sampleOf({ time: Date.UTC(2026, 0, 2, 3, 4, 5, 0) + ms }));
    assert.ok(text.includes('\n"01/02/2026 03:04:05"'), `${ms}`);
  }
});
