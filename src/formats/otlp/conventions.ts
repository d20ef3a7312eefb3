/** How OpenTelemetry counts or measures: a sum that only grows, a sum that falls too, a level, a distribution. */
export type Instrument = 'counter' | 'updowncounter' | 'gauge' | 'histogram';

/** A metric that the semantic conventions of OpenTelemetry have a name for. */
export interface Convention {
  readonly name: string;
  readonly unit: string;
  readonly instrument: Instrument;
  /** Attributes that distinguish it from others of the same name. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** The attribute that names a device, where not `device`. */
  readonly device?: string;
  /** The attribute that a label of the family becomes, and those of its values that have another word. */
  readonly label?: readonly [attribute: string, words: Readonly<Record<string, string>>];
}

const disk = (name: string, unit: string, direction?: string): Convention => ({
  name: `system.disk.${name}`,
  unit,
  instrument: 'counter',
  device: 'system.device',
  ...(direction !== undefined && { attributes: { 'disk.io.direction': direction } }),
});
const network = (name: string, unit: string, direction: string, device: string): Convention => ({
  name: `system.network.${name}`,
  unit,
  instrument: 'counter',
  device,
  attributes: { 'network.io.direction': direction },
});
const paging = (state: string): Convention => ({
  name: 'system.paging.usage',
  unit: 'By',
  instrument: 'updowncounter',
  attributes: { 'system.paging.state': state },
});
const level = (name: string, unit: string): Convention => ({ name, unit, instrument: 'updowncounter' });

/**
 * Families of the host, by the names that Prometheus has for them (semantic conventions 1.44, system metrics). Memory by
 * state is not among them: we have no `used`, and the states are meant to add up to all of it.
 */
export const hostConventions: Readonly<Record<string, Convention>> = {
  proxtop_host_cpu_seconds: {
    name: 'system.cpu.time',
    unit: 's',
    instrument: 'counter',
    label: ['cpu.mode', { irq: 'interrupt' }],
  },
  proxtop_host_cpu_cores: level('system.cpu.logical.count', '{cpu}'),
  proxtop_host_ram_total_bytes: level('system.memory.limit', 'By'),
  proxtop_host_ram_available_bytes: level('system.memory.linux.available', 'By'),
  proxtop_host_ram_swapused_bytes: paging('used'),
  proxtop_host_ram_swapfree_bytes: paging('free'),
  proxtop_host_disk_read_bytes: disk('io', 'By', 'read'),
  proxtop_host_disk_write_bytes: disk('io', 'By', 'write'),
  proxtop_host_disk_reads: disk('operations', '{operation}', 'read'),
  proxtop_host_disk_writes: disk('operations', '{operation}', 'write'),
  proxtop_host_disk_read_seconds: disk('operation_time', 's', 'read'),
  proxtop_host_disk_write_seconds: disk('operation_time', 's', 'write'),
  proxtop_host_disk_reads_merged: disk('merged', '{operation}', 'read'),
  proxtop_host_disk_writes_merged: disk('merged', '{operation}', 'write'),
  proxtop_host_disk_io_seconds: disk('io_time', 's'),
  proxtop_host_net_rx_bytes: network('io', 'By', 'receive', 'network.interface.name'),
  proxtop_host_net_tx_bytes: network('io', 'By', 'transmit', 'network.interface.name'),
  proxtop_host_net_rx_packets: network('packet.count', '{packet}', 'receive', 'system.device'),
  proxtop_host_net_tx_packets: network('packet.count', '{packet}', 'transmit', 'system.device'),
  proxtop_host_net_rx_dropped: network('packet.dropped', '{packet}', 'receive', 'network.interface.name'),
  proxtop_host_net_tx_dropped: network('packet.dropped', '{packet}', 'transmit', 'network.interface.name'),
  proxtop_host_net_rx_errors: network('errors', '{error}', 'receive', 'network.interface.name'),
  proxtop_host_net_tx_errors: network('errors', '{error}', 'transmit', 'network.interface.name'),
  proxtop_host_uptime_seconds: { name: 'system.uptime', unit: 's', instrument: 'gauge' },
};

const containerIo = (name: string, attributes: Record<string, string>, device: string): Convention => ({
  name: `container.${name}`,
  unit: 'By',
  instrument: 'counter',
  attributes,
  device,
});

/** Families of guests, where the guest is a container; of VMs the conventions know nothing. */
export const containerConventions: Readonly<Record<string, Convention>> = {
  proxtop_vm_cpu_seconds: { name: 'container.cpu.time', unit: 's', instrument: 'counter' },
  proxtop_vm_ram_cgroup_bytes: level('container.memory.usage', 'By'),
  proxtop_vm_disk_read_bytes: containerIo('disk.io', { 'disk.io.direction': 'read' }, 'system.device'),
  proxtop_vm_disk_write_bytes: containerIo('disk.io', { 'disk.io.direction': 'write' }, 'system.device'),
  proxtop_vm_net_rx_bytes: containerIo(
    'network.io',
    { 'network.io.direction': 'receive' },
    'network.interface.name',
  ),
  proxtop_vm_net_tx_bytes: containerIo(
    'network.io',
    { 'network.io.direction': 'transmit' },
    'network.interface.name',
  ),
  proxtop_vm_disk_root_size_bytes: level('container.filesystem.capacity', 'By'),
  proxtop_vm_disk_root_used_bytes: level('container.filesystem.usage', 'By'),
  proxtop_vm_uptime_seconds: { name: 'container.uptime', unit: 's', instrument: 'gauge' },
};
