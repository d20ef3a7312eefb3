import type { MetricTable } from './define.ts';

/** The host itself. One line a metric: id, title, unit, kind, shown, source, definition, original, needs. */
// prettier-ignore
export const host = {
  host: [
    ['host_name', 'HOST', '-', 'text', 'default', '/proc/sys/kernel/hostname', '', 'host_name'],
    ['host_uuid', 'HOSTUUID', '-', 'text', 'verbose', '/sys/devices/virtual/dmi/id/product_uuid', 'root only; omitted otherwise', 'host_uuid', 'DMI and root'],
    ['host_kernel', 'KERNEL', '-', 'text', 'verbose', '/proc/sys/kernel/osrelease', '', ''],
    ['host_uptime', 'UPTIME', 'seconds', 'gauge', 'verbose', '/proc/uptime', '', ''],
    ['host_vms', 'VMS', 'count', 'gauge', 'default', 'connector', 'running VMs', ''],
  ],
  vm: [
    ['host_name', 'HOST', '-', 'text', 'default', '/proc/sys/kernel/hostname', 'host that runs this VM', 'host_name'],
  ],
} as const satisfies MetricTable;
