import { bytes, decimal, duration, truth } from '../values.ts';
import type { Option } from './option.ts';

/** Keys of [history]: what a host keeps of its own samples. */
export const history = {
  enabled: {
    type: truth,
    otherwise: 'true for the service, false in a shell',
    help: 'keep a history of this host in state_dir, for --replay, even without an output',
    flag: { group: 'Where to send it', name: 'history' },
  },
  interval: {
    type: decimal(0.1, 3600, 'seconds'),
    otherwise: '10, or the frequency',
    help: 'seconds per record, with means and the largest samples; a multiple of the frequency',
  },
  keep: {
    type: duration('1h', '3650d'),
    default: '3d',
    help: 'how long to keep records, such as 12h or 3 days',
  },
  max: {
    type: bytes('16M', '1024G'),
    default: '1G',
    help: 'maximum size; the oldest hours are deleted first',
  },
} as const satisfies Readonly<Record<string, Option>>;
