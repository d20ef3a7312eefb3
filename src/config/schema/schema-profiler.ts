import type { InputName } from '../../profiler/settings.ts';
import {
  duration,
  historyLength,
  likeliness,
  outlierLimit,
  periodSizes,
  stateCount,
} from '../profiler/values.ts';
import type { Option } from './option.ts';
import { bytes, choices, integer, truth } from '../values.ts';

const profiled = 'What to profile';
const made = 'How a profile is made';

/** What can be profiled, by the names users know it by. */
const inputs: Readonly<Record<string, InputName>> = {
  cpu: 'cpu',
  net: 'net',
  io: 'io',
  mem: 'mem',
  disk: 'disk',
};

/** Keys of [profiler], for proxprofiler alone. */
export const profiler = {
  metrics: {
    type: choices(inputs),
    otherwise: 'cpu, net, io',
    help: 'what to profile: cpu, net, io, mem, disk',
    switches: [
      { name: 'cpu', value: 'cpu', group: profiled, help: 'CPU time used and waited for' },
      { name: 'net', value: 'net', group: profiled, help: 'bytes received and transmitted' },
      { name: 'io', value: 'io', group: profiled, help: 'bytes the QEMU process read and wrote; needs root' },
      { name: 'mem', value: 'mem', group: profiled, help: 'memory the guest uses, where it tells' },
      { name: 'disk', value: 'disk', group: profiled, help: 'utilisation of its disks, an estimate' },
    ],
  },
  states: {
    type: stateCount,
    default: '4',
    help: 'levels that each metric is divided into, 2 at least',
    flag: { group: made, placeholder: 'N' },
  },
  buffersize: {
    type: integer(1, 86400),
    default: '10',
    help: 'samples that make one period, whose mean is one state',
    flag: { group: made, placeholder: 'N' },
  },
  history: {
    type: historyLength,
    default: '1',
    help: 'states that a transition starts from, 1 to 6',
    flag: { group: made, placeholder: 'N' },
  },
  filterstddevs: {
    type: outlierLimit,
    default: '-1',
    help: 'leave out what is further than so many standard deviations from the mean; -1 for nothing',
    flag: { group: made, placeholder: 'N' },
  },
  fixedbound: {
    type: truth,
    default: 'false',
    help: 'levels from 0 to 100 percent, the speed of the links, the limit of the disk; else they grow with what is seen',
    flag: { group: made },
  },
  net_limit: {
    type: bytes('1K', '1024G'),
    otherwise: "the speed of the host's links",
    help: 'bytes per second that are the most for net, with --fixedbound',
    flag: { group: made, placeholder: 'BYTES' },
  },
  io_limit: {
    type: bytes('1K', '1024G'),
    otherwise: 'the most that was measured',
    help: 'bytes per second that are the most for io, with --fixedbound',
    flag: { group: made, placeholder: 'BYTES' },
  },
  periodsize: {
    type: periodSizes,
    otherwise: 'no cycles',
    help: 'cycles inside cycles: so many children of so many children of so many periods',
    flag: { group: made, placeholder: 'A,B,C' },
  },
  phasechangelikeliness: {
    type: likeliness,
    default: '0',
    help: 'mean likeliness of the last transitions below which the phase changes; 0 for no phases',
    flag: { group: made, placeholder: 'P' },
  },
  phasechangehistory: {
    type: integer(1, 1000),
    default: '1',
    help: 'transitions that this mean runs over',
    flag: { group: made, placeholder: 'N' },
  },
  outputfreq: {
    type: duration,
    default: '60s',
    help: 'time between two profiles of a VM: 60s, 5m or seconds',
    flag: { group: 'How often', placeholder: 'TIME' },
  },
} as const satisfies Readonly<Record<string, Option>>;
