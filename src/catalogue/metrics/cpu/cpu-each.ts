import { cpuShortage } from './cpu-guest.ts';
import { percent, text } from '../../metric.ts';

const facts = {
  shown: 'verbose',
  source: '/proc/stat lines cpuN',
  formula: 'delta(ticks)/sum of the deltas of user..steal *100',
} as const;

/** One logical CPU of the host. */
export const eachCpu = [
  percent('cpu_busy', {
    ...facts,
    title: '%BUSY',
    formula: '100 - idle - iowait - steal',
    meaning: 'Share of time the CPU works: programs, vCPUs, kernel, interrupts.',
    prometheus: 'gauge',
  }),
  percent('cpu_guest', {
    ...facts,
    title: '%GUEST',
    meaning: 'Share of time vCPUs run on it; part of %BUSY.',
  }),
  percent('cpu_steal', {
    ...facts,
    title: '%STEAL',
    meaning: 'Share of time the CPU, itself a vCPU, waits for its own host.',
    prometheus: 'gauge',
    ...cpuShortage,
  }),
  percent('cpu_irq', {
    ...facts,
    title: '%IRQ',
    meaning: 'Share of time it handles interrupts. Those of one NIC or disk often go to one CPU.',
    prometheus: 'gauge',
  }),
  percent('cpu_softirq', {
    ...facts,
    title: '%SOFTIRQ',
    meaning: 'Share of time it handles softirqs, mostly network packets.',
    prometheus: 'gauge',
  }),
  text('cpu_pinned', {
    title: 'PINNED',
    shown: 'verbose',
    source: '/proc/<pid>/task/<tid>/status Cpus_allowed_list',
    meaning: 'names of the VMs pinned to it, alone or with a few others, joined with ;',
    needs: 'a pinned VM',
  }),
];
