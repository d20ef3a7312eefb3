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
      { name: 'mem', value: 'mem', group: profiled, help: 'memory that the guest reports as used' },
      { name: 'disk', value: 'disk', group: profiled, help: 'estimated utilisation of its disks' },
    ],
  },
  states: {
    type: stateCount,
    default: '4',
    help: 'levels per metric, at least 2',
    flag: { group: made, placeholder: 'N' },
  },
  buffersize: {
    type: integer(1, 86400),
    default: '10',
    help: 'samples per period, whose mean is one state',
    flag: { group: made, placeholder: 'N' },
  },
  history: {
    type: historyLength,
    default: '1',
    help: 'states that form the start of a transition, 1 to 6',
    flag: { group: made, placeholder: 'N' },
  },
  filterstddevs: {
    type: outlierLimit,
    default: '-1',
    help: 'drop inputs further than this many standard deviations from the mean; -1 drops none',
    flag: { group: made, placeholder: 'N' },
  },
  fixedbound: {
    type: truth,
    default: 'false',
    help: 'fixed levels from 0 to 100 percent, to net-limit or io-limit; otherwise bounds grow with the measured values',
    flag: { group: made },
  },
  net_limit: {
    type: bytes('1K', '1024G'),
    otherwise: "the speed of the host's links",
    help: 'upper bound of net in bytes per second, with --fixedbound',
    flag: { group: made, placeholder: 'BYTES' },
  },
  io_limit: {
    type: bytes('1K', '1024G'),
    otherwise: 'the largest value measured',
    help: 'upper bound of io in bytes per second, with --fixedbound',
    flag: { group: made, placeholder: 'BYTES' },
  },
  periodsize: {
    type: periodSizes,
    otherwise: 'no cycles',
    help: 'nested cycles, as numbers of children per level, the innermost counting periods',
    flag: { group: made, placeholder: 'A,B,C' },
  },
  phasechangelikeliness: {
    type: likeliness,
    default: '0',
    help: 'the phase changes when the mean likeliness of the last transitions falls below this; 0 for no phases',
    flag: { group: made, placeholder: 'P' },
  },
  phasechangehistory: {
    type: integer(1, 1000),
    default: '1',
    help: 'number of transitions in that mean',
    flag: { group: made, placeholder: 'N' },
  },
  outputfreq: {
    type: duration,
    default: '60s',
    help: 'interval between profiles of a VM: 60s, 5m or seconds',
    flag: { group: 'How often', placeholder: 'TIME' },
  },
} as const satisfies Readonly<Record<string, Option>>;
