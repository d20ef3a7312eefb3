import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import { duration } from './format.ts';

/** What a guest is in other than running well, in a word. */
export interface Badge {
  /** At most {@link BADGE_WIDTH} characters. */
  readonly text: string;
  /** bad: it cannot work; warn: somebody holds it, or works on it. */
  readonly grade: 'warn' | 'bad';
}

/** Columns that every badge fits into. */
export const BADGE_WIDTH = 8;

const id = slots('identity', 'vm');

/** Seconds of silence after which a monitor does not only miss once: what is missed sooner is an overload. */
const HUNG = 10;
/** Locks under which Proxmox VE keeps the monitor to itself: its silence says nothing. */
const holdsMonitor = /^(backup|migrate|snapshot)/;

/** States of QEMU (RunState), of libvirt (virDomainState) and of containers; of those that are missing nothing is to be said. */
const states: ReadonlyMap<string, Badge> = new Map(
  Object.entries<Badge>({
    'io-error': { text: 'IO-ERR', grade: 'bad' },
    'internal-error': { text: 'ERROR', grade: 'bad' },
    'guest-panicked': { text: 'PANIC', grade: 'bad' },
    crashed: { text: 'CRASHED', grade: 'bad' },
    watchdog: { text: 'WATCHDOG', grade: 'bad' },
    paused: { text: 'PAUSED', grade: 'warn' },
    debug: { text: 'PAUSED', grade: 'warn' },
    frozen: { text: 'FROZEN', grade: 'warn' },
    suspended: { text: 'SUSPEND', grade: 'warn' },
    pmsuspended: { text: 'SUSPEND', grade: 'warn' },
    inmigrate: { text: 'MIGRATE', grade: 'warn' },
    'finish-migrate': { text: 'MIGRATE', grade: 'warn' },
    postmigrate: { text: 'MIGRATE', grade: 'warn' },
    colo: { text: 'MIGRATE', grade: 'warn' },
    'save-vm': { text: 'SAVE', grade: 'warn' },
    'restore-vm': { text: 'RESTORE', grade: 'warn' },
    shutdown: { text: 'SHUTDOWN', grade: 'warn' },
    shutoff: { text: 'SHUTDOWN', grade: 'warn' },
  }),
);
/** Started, and kept from running until somebody says so: Proxmox VE does that to back up a VM that is off. */
const prelaunch: Badge = { text: 'PRESTART', grade: 'warn' };

/** Locks of Proxmox VE whose names are too long; others are shown as they are. */
const locks: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    'snapshot-delete': 'SNAP-DEL',
    suspending: 'SUSPEND',
    suspended: 'SUSPEND',
    destroyed: 'DESTROY',
  }),
);

/**
 * The badge of a guest; undefined for one that runs and is left alone.
 * @param row of the guest: its state, its lock, and since when its monitor is silent
 */
export function badgeOf({ values, texts }: Row): Badge | undefined {
  const lock = texts[id.lock] ?? '';
  if (texts[id.qmp] === 'timeout' && !holdsMonitor.test(lock)) {
    const age = values[id.qmp_age] ?? NaN;
    if (age >= HUNG) return { text: `HUNG ${duration(age)}`, grade: 'bad' };
  }
  const state = texts[id.state] ?? '';
  const ofState = state === 'running' ? undefined : states.get(state);
  if (ofState !== undefined) return ofState;
  if (lock !== '')
    return { text: (locks.get(lock) ?? lock.toUpperCase()).slice(0, BADGE_WIDTH), grade: 'warn' };
  return state === 'prelaunch' ? prelaunch : undefined;
}
