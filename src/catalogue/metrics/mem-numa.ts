import { gauge, text } from '../metric.ts';

const needs = 'a host with several NUMA nodes';
const source = '/sys/devices/system/node/node*/meminfo';

/** A NUMA node of the host: memory, and the CPUs that are near to it. */
export const memNuma = [
  gauge('numa_total', {
    title: 'TOTAL',
    unit: 'bytes',
    source: `${source} MemTotal`,
    formula: 'kB*1024, every 5 s',
    meaning: 'Memory of the node.',
    needs,
  }),
  gauge('numa_free', {
    title: 'FREE',
    unit: 'bytes',
    source: `${source} MemFree`,
    formula: 'kB*1024, every 5 s',
    meaning: 'Memory of the node that nobody uses, not even as cache.',
    needs,
  }),
  gauge('numa_available', {
    title: 'AVAIL',
    unit: 'bytes',
    source,
    formula:
      'MemFree + Active(file) + Inactive(file) + SReclaimable, every 5 s; the kernel tells no MemAvailable of a node, which would be less by a reserve',
    meaning: 'About how much memory of the node can be had without swapping.',
    needs,
  }),
  text('numa_cpus', {
    title: 'CPUS',
    source: '/sys/devices/system/node/node*/cpulist',
    meaning: 'host CPUs of the node, as the kernel lists them; looked at every ten minutes',
    needs,
  }),
];
