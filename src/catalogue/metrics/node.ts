import { gauge, percent, text } from '../metric.ts';

const needs = 'a view or stream of several hosts';

/** One of the hosts that are watched together, as the proxtop that watches them sees it. */
export const agentNode = [
  text('name', {
    title: 'NODE',
    source: '--hosts, or .members of Proxmox VE',
    needs,
    meaning: 'name of the node, as it was given',
  }),
  text('hostname', {
    title: 'HOSTNAME',
    shown: 'verbose',
    source: 'samples of the node',
    needs,
    meaning: 'what the node calls itself: host_name of its samples',
  }),
  text('state', {
    title: 'STATE',
    source: 'connection to the node',
    needs,
    meaning:
      'connecting, up, or what is wrong: unreachable, refused, host-key, no-program, schema, silent, slow, ended, garbled, no-ssh',
  }),
  gauge('age', {
    title: 'AGE',
    unit: 'seconds',
    source: 'monotonic clock',
    needs,
    meaning: 'how long ago its last sample came; omitted before the first one',
  }),
  gauge('clock_offset', {
    title: 'CLOCK',
    unit: 'seconds',
    source: 'time in its samples, clock of this host',
    needs,
    meaning: 'by how much its clock is ahead of that of this host, behind where negative',
  }),
  gauge('guests', {
    title: 'GUESTS',
    unit: 'count',
    source: 'samples of the node',
    needs,
    meaning: 'VMs and containers that run there',
  }),
  percent('cpu_busy', {
    title: '%BUSY',
    source: 'samples of the node',
    formula: '100-cpu_idle-cpu_iowait-cpu_steal of its host',
    meaning: 'How busy the CPUs of the node are.',
    needs,
  }),
  percent('ram_percent', {
    title: '%MEM',
    source: 'samples of the node',
    formula: '100-100*ram_obtainable/ram_total of its host, or of ram_available',
    meaning: 'How much of the memory of the node cannot be had any more.',
    needs,
  }),
  text('verdict', {
    title: 'VERDICT',
    source: 'connection to the node, verdicts of its samples',
    needs,
    meaning: 'why no samples come, else the gravest thing that is wrong there; omitted where nothing is',
  }),
];
