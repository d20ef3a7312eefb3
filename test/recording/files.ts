import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createPrinter } from '../../src/formats/index.ts';
import type { PrinterName } from '../../src/formats/index.ts';
import type { PrinterSettings } from '../../src/formats/printer.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { row, sampleOf, settings, vmRows } from '../formats/sample.ts';

const directory = mkdtempSync(join(tmpdir(), 'proxtop-recording-'));
after(() => {
  rmSync(directory, { recursive: true });
});

/** Writes a file of its own and tells its path. */
export function file(name: string, content: Uint8Array | string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

export const start = Date.UTC(2026, 10, 22, 12);

/** Samples a second apart, each with two VMs and their devices; the second VM is there every other time. */
export function samples(count: number): Sample[] {
  return Array.from({ length: count }, (_, index) => {
    const vm = (number: number): ReturnType<typeof vmRows> =>
      vmRows(
        row('vm', {
          UUID: `u${number}`,
          vmid: String(100 + number),
          name: `web "${number}" \u00e9`,
          pid: String(4000 + number),
          state: 'running',
          cpu_cores: 2,
          cpu_total: index + number / 10,
          ram_total: 2 ** 31,
        }),
        {
          vcpus: [row('vm_vcpu', { device: '0', cpu_total: index }), row('vm_vcpu', { device: '1' })],
          disks: [row('vm_disk', { device: 'scsi0', disk_lat_avg: 1.25 })],
          nics: [row('vm_nic', { device: `tap${100 + number}i0`, net_rx_mbit: 8 })],
        },
      );
    return sampleOf({
      time: start + index * 1000,
      seq: index + 1,
      interval: 1,
      host: {
        row: row('host', {
          host_name: 'pve1',
          cpu_idle: 40,
          ram_total: 2 ** 36,
          disk_reads: 3,
          net_rx_mbit: 1,
        }),
        disks: [row('host_disk', { device: 'sda', disk_await: 2.5 })],
        nics: [row('host_nic', { device: 'eno1', net_rx_mbit: 1 })],
      },
      guests: index % 2 === 0 ? [vm(0), vm(1)] : [vm(0)],
      agent: {
        row: row('agent', { cycle_ms: 4.5, sent: index }),
        outputs: [row('agent_output', { name: 'logs', state: 'up', sent: index })],
      },
      collectors: ['cpu', 'mem', 'disk', 'net'],
    });
  });
}

export function printed(
  list: readonly Sample[],
  name: PrinterName,
  changes: Partial<PrinterSettings> = {},
): Buffer {
  const printer = createPrinter(name, { ...settings, ...changes });
  return Buffer.concat(list.flatMap((sample) => printer.print(sample)));
}
