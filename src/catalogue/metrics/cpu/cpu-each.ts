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
    meaning: 'How much of the time the CPU works: for programs, vCPUs, the kernel and interrupts.',
    prometheus: 'gauge',
  }),
  percent('cpu_guest', {
    ...facts,
    title: '%GUEST',
    meaning: 'Time that vCPUs run on it; it is part of the time that it is busy.',
  }),
  percent('cpu_steal', {
    ...facts,
    title: '%STEAL',
    meaning: 'How much of the time the CPU, which is a vCPU itself, waits for one of its own host.',
    prometheus: 'gauge',
    ...cpuShortage,
  }),
  percent('cpu_irq', {
    ...facts,
    title: '%IRQ',
    meaning: 'Time that it handles interrupts. Those of one NIC or disk often go to one CPU.',
    prometheus: 'gauge',
  }),
  percent('cpu_softirq', {
    ...facts,
    title: '%SOFTIRQ',
    meaning: 'Time that it handles what interrupts left to be done, mostly network packets.',
    prometheus: 'gauge',
  }),
  text('cpu_pinned', {
    title: 'PINNED',
    shown: 'verbose',
    source: '/proc/<pid>/task/<tid>/status Cpus_allowed_list',
    meaning: 'names of the VMs that are pinned to it or to a few with it, joined with ;',
    needs: 'a pinned VM',
  }),
];
