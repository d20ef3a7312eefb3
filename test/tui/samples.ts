import type { Row } from '../../src/catalogue/row.ts';
import type { Sample, GuestRows } from '../../src/sampling/sample.ts';
import { row, sampleOf, vmRows } from '../formats/sample.ts';

type Known = Readonly<Record<string, number | string>>;

/** The rows of a VM that is known by its name. */
export function vm(name: string, known: Known = {}, devices: Parameters<typeof vmRows>[1] = {}): GuestRows {
  const rows = vmRows(row('vm', { name, UUID: `uuid-${name}`, ...known }), devices);
  return { ...rows, guest: { ...rows.guest, key: name } };
}

export function disk(device: string, known: Known = {}): Row {
  return row('vm_disk', { device, ...known });
}

/** So many VMs with a row for each device and every number known. */
export function manyVms(count: number): readonly GuestRows[] {
  return Array.from({ length: count }, (_, index) => {
    const known = {
      vmid: String(100 + index),
      cpu_total: index % 101,
      cpu_steal: (index * 7) % 13,
      ram_rss: index * 2 ** 26,
    };
    const traffic = {
      net_rx_mbit: index,
      net_tx_mbit: index / 2,
      net_rx_packets: index,
      net_tx_packets: index,
    };
    const operations = { disk_reads: index, disk_writes: index * 2, disk_lat_avg: index / 10 };
    return vm(
      `vm-${index}`,
      { ...known, ...traffic, ...operations },
      {
        vcpus: [row('vm_vcpu', { device: '0', cpu_total: 1, cpu_steal: 1 })],
        disks: [disk('scsi0', operations)],
        nics: [row('vm_nic', { device: `tap${index}i0`, ...traffic })],
      },
    );
  });
}

export function sample(vms: readonly GuestRows[], parts: Parameters<typeof sampleOf>[0] = {}): Sample {
  return sampleOf({ guests: vms, ...parts });
}
