import { gauge, rate, text } from '../../metric.ts';
import type { CounterFacts, Declaration } from '../../metric.ts';

const needs = 'ZFS';

/** A ZFS pool. Its disks have rows of their own; only `zpool iostat` shows their load for each pool. */
export const hostPool = [
  text('pool_state', {
    title: 'STATE',
    source: '/proc/spl/kstat/zfs/<pool>/state',
    meaning: 'State of the pool: ONLINE, DEGRADED, FAULTED, SUSPENDED, ...',
    needs: 'ZFS 0.8',
  }),
  gauge('pool_degraded', {
    title: 'DEGRADED',
    unit: 'count',
    source: '/proc/spl/kstat/zfs/<pool>/state',
    formula: '0 for ONLINE, otherwise 1',
    meaning: 'Whether the pool is anything but healthy.',
    needs: 'ZFS 0.8',
    levels: '1',
    causes: [
      'A disk of the pool failed or is missing; zpool status -x shows which. Replace it before another one fails.',
      'The pool is suspended, because too many disks are gone: everything on it waits.',
    ],
  }),
  gauge('pool_available', {
    title: 'AVAIL',
    unit: 'bytes',
    source: 'statfs of its topmost file system',
    formula: 'every 10 s; omitted where that is not mounted',
    meaning: 'Space left in the pool.',
    needs: 'ZFS whose topmost file system is mounted, as rpool of Proxmox VE is',
  }),
  done('pool_reads', 'READS/s', 'per second', 'reads', 'Reads of all its file systems and volumes.', {
    unit: 'one',
    counted: 'added',
    help: 'Reads of file systems and volumes',
  }),
  done('pool_writes', 'WRITES/s', 'per second', 'writes', 'Writes to all its file systems and volumes.', {
    unit: 'one',
    counted: 'added',
    help: 'Writes to file systems and volumes',
  }),
  done('pool_read_mib', 'MBRD/s', 'MiB per second', 'nread/2^20', 'Data read from them.', {
    name: 'pool_read_bytes',
    unit: 'bytes',
    counted: 'added',
    help: 'Bytes read from file systems and volumes',
  }),
  done('pool_write_mib', 'MBWR/s', 'MiB per second', 'nwritten/2^20', 'Data written to them.', {
    name: 'pool_write_bytes',
    unit: 'bytes',
    counted: 'added',
    help: 'Bytes written to file systems and volumes',
  }),
];

/** What is asked of a pool. @param objset how ZFS calls it */
function done<Id extends string>(
  id: Id,
  title: string,
  unit: 'per second' | 'MiB per second',
  objset: string,
  what: string,
  counter: CounterFacts,
): Declaration<Id> {
  return rate(id, {
    title,
    unit,
    source: '/proc/spl/kstat/zfs/<pool>/objset-*',
    formula: `rate of the sum of ${objset}, every 10 s`,
    meaning: `${what} The cache answers most reads: what the disks do is in their own rows.`,
    needs,
    counter,
  });
}
