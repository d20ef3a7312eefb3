import { gauge, text } from '../metric.ts';
import type { MetricTable } from '../metric.ts';

/** The host itself. */
export const host = {
  host: [
    text('host_name', {
      title: 'HOST',
      source: '/proc/sys/kernel/hostname',
      formula: '',
      meaning: 'name of the host',
      original: { id: 'host_name' },
    }),
    text('host_uuid', {
      title: 'HOSTUUID',
      shown: 'verbose',
      source: '/sys/devices/virtual/dmi/id/product_uuid',
      meaning: 'root only; omitted otherwise',
      original: { id: 'host_uuid' },
      needs: 'DMI and root',
    }),
    text('host_kernel', {
      title: 'KERNEL',
      shown: 'verbose',
      source: '/proc/sys/kernel/osrelease',
      formula: '',
      meaning: 'version of the kernel that runs on the host',
    }),
    gauge('host_uptime', {
      title: 'UPTIME',
      unit: 'seconds',
      shown: 'verbose',
      source: '/proc/uptime',
      formula: '',
      meaning: 'Time since the host started.',
    }),
    gauge('host_vms', {
      title: 'VMS',
      unit: 'count',
      source: 'connector',
      formula: 'running VMs',
      meaning: 'Running VMs.',
    }),
  ],
  vm: [
    text('host_name', {
      title: 'HOST',
      source: '/proc/sys/kernel/hostname',
      meaning: 'host that runs this VM',
      original: { id: 'host_name' },
    }),
  ],
} satisfies MetricTable;
