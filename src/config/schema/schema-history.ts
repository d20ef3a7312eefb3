import { bytes, decimal, duration, truth } from '../values.ts';
import type { Option } from './option.ts';

/** Keys of [history]: what a host keeps of its own samples. */
export const history = {
  enabled: {
    type: truth,
    otherwise: 'true as a service, else false',
    help: 'keep a history of this host in state_dir, for --replay, also without any output',
    flag: { group: 'Where to send it', name: 'history' },
  },
  interval: {
    type: decimal(0.1, 3600, 'seconds'),
    otherwise: '10, or the frequency',
    help: 'seconds that a record of the history stands for: a multiple of the frequency; with means and the largest samples',
  },
  keep: {
    type: duration('1h', '3650d'),
    default: '3d',
    help: 'how long it is kept, such as 12h or 3 days',
  },
  max: {
    type: bytes('16M', '1024G'),
    default: '1G',
    help: 'bytes that it takes at most; the oldest hours go first',
  },
} as const satisfies Readonly<Record<string, Option>>;
