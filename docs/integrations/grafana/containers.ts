import { level, percentOf, query, rate } from './panels.ts';
import type { Section } from './panels.ts';

/** What only containers have: limits of memory and CPU, and a root file system. */
export const containers: Section = {
  title: 'Containers',
  panels: [
    {
      title: 'Memory: used of the limit',
      description: 'Without caches; at 100 processes are killed.',
      unit: 'percent',
      top: 10,
      queries: [
        query(
          'vms',
          '',
          percentOf(`${level('vms', 'vm', 'ram_used')} / ${level('vms', 'vm', 'ram_limit')}`),
          ['vm', 'ram_limit_used'],
        ),
      ],
    },
    {
      title: 'Killed for want of memory',
      description: 'Processes a second.',
      unit: 'short',
      top: 10,
      queries: [query('vms', '', rate('vms', 'vm', 'ram_oom_kills'), ['vm', 'ram_oom_kills'])],
    },
    {
      title: 'CPU: used of the limit',
      description: 'At 100 it is held back.',
      unit: 'percent',
      top: 10,
      queries: [
        query(
          'vms',
          '',
          percentOf(`${rate('vms', 'vm', 'cpu_total')} / ${level('vms', 'vm', 'cpu_limit')}`),
          ['vm', 'cpu_limit_used'],
        ),
      ],
    },
    {
      title: 'Root file system: used',
      description: 'Of its size.',
      unit: 'percent',
      top: 10,
      queries: [
        query(
          'vms',
          '',
          percentOf(`${level('vms', 'vm', 'disk_root_used')} / ${level('vms', 'vm', 'disk_root_size')}`),
          ['vm', 'disk_root_use'],
        ),
      ],
    },
  ],
};
