import { slots } from '../../catalogue/catalogue.ts';
import { NEAR, of } from '../guest-signals.ts';
import type { GuestSignals } from '../guest-signals.ts';
import { scoreOf } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { Situation } from '../situation.ts';
import type { Standing } from '../hysteresis.ts';
import { guests, percent, range } from '../wording.ts';

const mem = slots('mem', 'vm');

/** Percent of its memory near to its vCPUs from which on it is near again. */
const NEAR_AGAIN = 85;
/** Seconds for which memory must have been far: it is looked at once a minute, and the kernel may be moving it. */
const LONG = 60;
/** Percent of a CPU that it uses: who hardly runs loses nothing. */
const BUSY = 50;
const IDLE = 25;
/** Bytes below which caches hold what matters. */
const MUCH = 2 ** 30;

/** Guests that reach much of their memory through another NUMA node. */
export function farFindings({ symptoms, host, guests: all }: Situation, found: Finding[]): void {
  const { nodes, largest } = host.numa;
  if (nodes < 2) return;
  for (const guest of all) {
    if (guest.isAtWork && symptoms.shows('far', guest, farStanding(guest, largest)))
      found.push(far(guest, nodes));
  }
}

/** @param largest bytes of the largest node */
function farStanding(guest: GuestSignals, largest: number): Standing {
  const near = guest.value(mem.ram_numa_local);
  const used = guest.means.of(of.cpus);
  const held = guest.value(mem.ram_rss);
  if (Number.isNaN(near + used + held) || largest === 0) return 'unknown';
  // What is larger than a node must lie on several.
  if (near >= NEAR_AGAIN || used < IDLE || held < MUCH || held > largest) return 'below';
  return guest.farFor >= LONG && used >= BUSY ? 'beyond' : 'between';
}

function far(guest: GuestSignals, nodes: number): Finding {
  const share = 100 - guest.value(mem.ram_numa_local);
  const where = nodes === 2 ? 'the other NUMA node' : 'other NUMA nodes';
  return {
    rule: 'memory-far',
    class: 6,
    cause: 'numa',
    guest,
    suffers: `${percent(share)} far`,
    score: scoreOf(share, 100 - NEAR),
    tell: (all) => ({
      sentence: (label) =>
        all.length === 1
          ? `${label(guest)}: ${percent(share)} of its memory is on ${where}`
          : `${guests(all.length)}: ${range(all.map(shareOf))} of their memory is on ${where}`,
    }),
  };
}

function shareOf({ guest }: Finding): number {
  return 100 - (guest?.value(mem.ram_numa_local) ?? NaN);
}
