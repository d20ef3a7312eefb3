import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import { duration } from './format.ts';

/** What a guest is in other than running well, in a word. */
export interface Badge {
  /** At most {@link BADGE_WIDTH} characters. */
  readonly text: string;
  /** bad: it cannot work; warn: somebody holds it, or works on it. */
  readonly verdict: 'warn' | 'bad';
}

/** Columns that every badge fits into. */
export const BADGE_WIDTH = 8;

const id = slots('identity', 'vm');

/** Seconds of silence after which a monitor does not only miss once: what is missed sooner is an overload. */
const HUNG = 10;
/** Locks under which Proxmox VE keeps the monitor to itself: its silence says nothing. */
const holdsMonitor = /^(backup|migrate|snapshot)/;

/** States of QEMU (RunState), of libvirt (virDomainState) and of containers; of those that are missing nothing is to be said. */
const states: Readonly<Record<string, Badge>> = {
  'io-error': { text: 'IO-ERR', verdict: 'bad' },
  'internal-error': { text: 'ERROR', verdict: 'bad' },
  'guest-panicked': { text: 'PANIC', verdict: 'bad' },
  crashed: { text: 'CRASHED', verdict: 'bad' },
  watchdog: { text: 'WATCHDOG', verdict: 'bad' },
  paused: { text: 'PAUSED', verdict: 'warn' },
  debug: { text: 'PAUSED', verdict: 'warn' },
  frozen: { text: 'FROZEN', verdict: 'warn' },
  suspended: { text: 'SUSPEND', verdict: 'warn' },
  pmsuspended: { text: 'SUSPEND', verdict: 'warn' },
  inmigrate: { text: 'MIGRATE', verdict: 'warn' },
  'finish-migrate': { text: 'MIGRATE', verdict: 'warn' },
  postmigrate: { text: 'MIGRATE', verdict: 'warn' },
  colo: { text: 'MIGRATE', verdict: 'warn' },
  'save-vm': { text: 'SAVE', verdict: 'warn' },
  'restore-vm': { text: 'RESTORE', verdict: 'warn' },
  shutdown: { text: 'SHUTDOWN', verdict: 'warn' },
  shutoff: { text: 'SHUTDOWN', verdict: 'warn' },
};
/** Started, and kept from running until somebody says so: Proxmox VE does that to back up a VM that is off. */
const prelaunch: Badge = { text: 'PRESTART', verdict: 'warn' };

/** Locks of Proxmox VE whose names are too long; others are shown as they are. */
const locks: Readonly<Record<string, string>> = {
  'snapshot-delete': 'SNAP-DEL',
  suspending: 'SUSPEND',
  suspended: 'SUSPEND',
  destroyed: 'DESTROY',
};

/**
 * The badge of a guest; undefined for one that runs and is left alone.
 * @param row of the guest: its state, its lock, and since when its monitor is silent
 */
export function badgeOf({ values, texts }: Row): Badge | undefined {
  const lock = texts[id.lock] ?? '';
  const age = values[id.qmp_age] ?? NaN;
  if (texts[id.qmp] === 'timeout' && age >= HUNG && !holdsMonitor.test(lock))
    return { text: `HUNG ${duration(age)}`, verdict: 'bad' };
  const state = texts[id.state] ?? '';
  const ofState = states[state];
  if (ofState !== undefined) return ofState;
  if (lock !== '')
    return { text: (locks[lock] ?? lock.toUpperCase()).slice(0, BADGE_WIDTH), verdict: 'warn' };
  return state === 'prelaunch' ? prelaunch : undefined;
}
