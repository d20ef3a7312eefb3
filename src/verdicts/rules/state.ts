import { slots } from '../../catalogue/catalogue.ts';
import type { DiskSignals } from '../device-signals.ts';
import type { GuestSignals } from '../guest-signals.ts';
import { scoreOf } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { Situation } from '../situation.ts';
import { bytes, duration, number } from '../wording.ts';

const identity = slots('identity', 'vm');
const cpu = slots('cpu', 'vm');
const mem = slots('mem', 'vm');
const { disk_errors: ERRORS } = slots('disk', 'vm_disk');

/** Seconds for which something that happened is told. */
const TOLD = 60;
/** Percent of its memory up to which a host is short of it. */
const SHORT = 10;

/** States in which a guest has come to a stop by itself, and what that means. */
const stopped: ReadonlyMap<string, string> = new Map([
  ['io-error', 'disk error (storage full or gone)'],
  ['internal-error', 'QEMU cannot go on (internal error)'],
  ['guest-panicked', 'its kernel panicked'],
]);

/** Guests that are down, or have come to harm: told at once. */
export function stateFindings({ guests, host }: Situation, found: Finding[]): void {
  for (const guest of guests) {
    const state = guest.text('state') ?? '';
    const reason = stopped.get(state);
    if (reason !== undefined) found.push(stoppedBy(guest, state, reason));
    if (guest.kills > 0 && guest.sinceKill < TOLD) found.push(killed(guest, host.memoryShort(SHORT)));
    for (const disk of guest.disks) if (disk.sinceErrors < TOLD) found.push(failing(guest, disk));
  }
  hung(guests, found);
}

/** A guest that came to a stop by itself. */
function stoppedBy(guest: GuestSignals, state: string, reason: string): Finding {
  return {
    rule: 'stopped',
    class: 1,
    cause: guest.key,
    guest,
    suffers: state,
    score: 1,
    tell: () => ({ sentence: (label) => `${label(guest)} stopped: ${reason}` }),
  };
}

/** A disk with operations that failed. */
function failing(guest: GuestSignals, { device, row }: DiskSignals): Finding {
  const errors = row.values[ERRORS] ?? NaN;
  const now = errors >= 1 ? `${number(errors)} failed operations/s` : 'operations failed';
  return {
    rule: 'disk-errors',
    class: 2,
    cause: `${guest.key} ${device}`,
    guest,
    device,
    suffers: now,
    score: 1,
    tell: () => ({ sentence: (label) => `${label(guest)} ${device}: ${now}` }),
  };
}

/** Monitors that do not answer; where most do not it is no matter of one guest. */
function hung(guests: readonly GuestSignals[], found: Finding[]): void {
  const silent = guests.filter(({ isHung }) => isHung);
  let asked = 0;
  for (const { isContainer } of guests) if (!isContainer) asked++;
  const most = silent.length > 1 && silent.length > asked / 2;
  for (const guest of silent) {
    const age = guest.value(identity.qmp_age);
    const runs = guest.value(cpu.cpu_total) >= 1 ? ', guest runs' : '';
    const suffers = `no answer for ${duration(age)}`;
    found.push({
      rule: 'hung',
      class: 1,
      cause: most ? 'monitors' : guest.key,
      guest,
      suffers,
      score: age,
      tell: (all) => ({
        sentence: most
          ? () => `${all.length} of ${asked} monitors do not answer`
          : (label) => `${label(guest)} does not answer for ${duration(age)}${runs}`,
      }),
    });
  }
}

/**
 * Processes that the kernel killed. The counter tells no reason: at its limit it was the guest's own, on a host without
 * memory the host's; else nothing is said of it. Somebody may have lifted the limit since.
 */
function killed(guest: GuestSignals, isHostShort: boolean): Finding {
  const count = Math.max(1, Math.round(guest.kills));
  const limit = guest.value(mem.ram_limit);
  const reason = guest.killedAtLimit
    ? `own limit ${Number.isNaN(limit) ? '' : `${bytes(limit)} `}full`
    : isHostShort
      ? 'the host had no memory'
      : 'memory was short';
  const what = `${count} process${count === 1 ? '' : 'es'} killed`;
  return {
    rule: 'oom-kill',
    class: 2,
    cause: guest.key,
    guest,
    suffers: what,
    score: scoreOf(count, 1),
    tell: () => ({ sentence: (label) => `${label(guest)}: ${what}, ${reason}` }),
  };
}
