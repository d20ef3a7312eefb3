import { slots } from '../../catalogue/catalogue.ts';
import { cpuListText } from '../../kernel/sys/cpu-list.ts';
import { OTHERS_WAIT, WAITS, WORST_WAITS, of } from '../guest-signals.ts';
import type { GuestSignals } from '../guest-signals.ts';
import { scoreOf } from '../finding.ts';
import type { Finding, Label, Told } from '../finding.ts';
import { standing } from '../hysteresis.ts';
import type { Standing } from '../hysteresis.ts';
import { ofHost } from '../host-signals.ts';
import { cpuShares, listed, steady } from '../shares.ts';
import type { Share } from '../shares.ts';
import type { Situation } from '../situation.ts';
import { cpus, guests as guestsOf, number, percent, range, who } from '../wording.ts';

const cpu = slots('cpu', 'vm');

/** Percent busy from which on CPUs are short, and below which they no longer are. */
const BUSY = 85;
const NOT_BUSY = 75;
/** Percent busy up to which a wait has nothing to do with load. Between this and BUSY bursts may meet. */
const IDLE = 70;
/** Percent of its own limit from which on a guest is held back by it, and not by a burst. */
const AT_LIMIT = 80;
/** A guest that uses less of its vCPUs, percent, wants little, unless it hardly gets to run. */
const WANTS = 1;
const STARVES = 25;
/** Percent of CPU that the host waits for its own hypervisor. */
const STEAL = 5;
/** Pressure of a container, percent, where it begins and ends to be a symptom. */
const PRESSED = 25;
const NOT_PRESSED = 15;
/** Percent of its cores from which on a container uses all of them. */
const ALL_CORES = 90;
/** Percent from which on the threads of QEMU do something worth waiting for. */
const EMULATES = 5;
/** Shares, percent, that are named; one of them is at least so large, else it is the sum of many. */
const NAMED = 10;
const ONE = 25;
/** How much larger than that of any other victim the share of one must be that is named although it waits. */
const LARGER = 2;
/** Part of the weight of a victim up to which the kernel prefers the victim anyway. */
const LIGHT = 1 / 10;

/** Why a guest waits for a CPU; silent is a reason that is not reported. */
type Reason = 'limit' | 'steal' | 'short' | 'wait' | 'cores' | 'silent';

/** Guests that wait for a CPU: held back by a limit of their own, by others, by the host's own hypervisor, or for no such reason. */
export function cpuFindings(situation: Situation, found: Finding[]): void {
  for (const guest of situation.guests) {
    if (!guest.isAtWork) continue;
    const waits = situation.symptoms.shows('cpu', guest, symptomOf(guest));
    const finding = waits ? explained(guest, situation) : undefined;
    if (finding !== undefined) found.push(finding);
    else if (qemuWaits(guest, situation)) found.push(emulator(guest, situation));
  }
}

function symptomOf(guest: GuestSignals): Standing {
  const { means } = guest;
  if (guest.isContainer) {
    const pressed = standing(means.of(of.cpuPressure), PRESSED, NOT_PRESSED);
    const limited = standing(means.of(of.throttled), WAITS, WAITS / 2);
    return worse(pressed, limited);
  }
  // What a limit holds back is part of ready, and a reason of its own.
  const ready = standing(Math.min(means.of(of.ready), 4 * WAITS), WAITS, WAITS / 2);
  const judged = standing(means.of(of.waitsJudged), WAITS, WAITS / 2);
  const isLimited = means.of(of.throttled) >= means.of(of.ready) / 2;
  return worse(isLimited ? ready : judged, standing(means.of(of.worst), WORST_WAITS, WORST_WAITS / 2));
}

const order: readonly Standing[] = ['unknown', 'below', 'between', 'beyond'];

function worse(one: Standing, other: Standing): Standing {
  return order.indexOf(one) > order.indexOf(other) ? one : other;
}

/** The CPUs that a guest is bound to; undefined where it may run on all of them. */
function boundTo(guest: GuestSignals, { host }: Situation): ReadonlySet<number> | undefined {
  const { affinity } = guest;
  return affinity !== undefined && affinity.size < host.cores ? affinity : undefined;
}

function placeName(bound: ReadonlySet<number> | undefined): string {
  if (bound === undefined) return 'CPUs';
  return `CPU${bound.size === 1 ? '' : 's'} ${cpuListText(bound)}`;
}

function reasonOf(guest: GuestSignals, situation: Situation): Reason {
  const { host } = situation;
  const { means } = guest;
  const before = guest.explanation.value;
  const throttled = means.of(of.throttled);
  const limitUsed = means.of(of.limitUsed);
  // Without a controller that tells how long it holds back, being at the limit must do.
  const isKnown = !Number.isNaN(throttled);
  const enough = guest.isContainer ? WAITS : means.of(of.ready) / 2;
  const isThrottled = !isKnown || throttled >= enough;
  if (isThrottled && limitUsed >= AT_LIMIT) return 'limit';
  // A burst beyond the limit, or a limit that is not known: then only the time it held back is.
  if (isThrottled && isKnown) return Number.isNaN(limitUsed) ? 'limit' : 'silent';
  if (guest.isContainer && means.of(of.used) >= ALL_CORES) return 'cores';
  const steal = host.means.of(ofHost.steal);
  if (steal >= (before === 'steal' ? STEAL / 2 : STEAL)) return 'steal';
  const wants = means.of(of.used) >= WANTS || means.of(of.waits) >= STARVES || guest.isContainer;
  const busy = host.busy(boundTo(guest, situation));
  if (busy >= (before === 'short' ? NOT_BUSY : BUSY)) return wants ? 'short' : 'silent';
  if (!guest.isContainer && wants && busy <= (before === 'wait' ? NOT_BUSY : IDLE)) return 'wait';
  return 'silent';
}

function explained(guest: GuestSignals, situation: Situation): Finding | undefined {
  const reason = guest.explanation.step(reasonOf(guest, situation), situation.time) as Reason;
  const { means } = guest;
  const [waits, ready] = [means.of(of.waits), means.of(of.ready)];
  const pressure = means.of(of.cpuPressure);
  const suffers = guest.isContainer ? `waits ${percent(pressure)}` : `RDY ${percent(ready)}`;
  const cores = guest.value(cpu.cpu_cores);
  const score = guest.isContainer
    ? scoreOf(pressure, PRESSED)
    : scoreOf(Math.max(waits / WAITS, means.of(of.worst) / WORST_WAITS), 1, (waits / 100) * cores);
  const common = { guest, suffers, score, cause: guest.key };
  switch (reason) {
    case 'limit':
      return { ...common, rule: 'cpu-limit', class: 4, tell: () => limitTold(guest, ready) };
    case 'cores':
      return {
        ...common,
        rule: 'cpu-limit',
        class: 4,
        tell: () => ({
          sentence: (label) => `${label(guest)} uses all of its ${cpus(cores).replace('CPU', 'core')}`,
        }),
      };
    case 'steal': {
      const steal = percent(situation.host.means.of(ofHost.steal));
      return {
        ...common,
        rule: 'cpu-host-steal',
        class: 3,
        cause: 'host',
        tell: (all) => ({
          sentence: (label) => `${waiting(all, label)}: the host waits for its own hypervisor ${steal}`,
        }),
      };
    }
    case 'short': {
      const bound = boundTo(guest, situation);
      const cause = `${placeName(bound)}${guest.isContainer ? ' of containers' : ''}`;
      return {
        ...common,
        rule: 'cpu-short',
        class: 3,
        cause,
        tell: (all) => shortTold(all, bound, cause, situation),
      };
    }
    case 'wait': {
      const bound = boundTo(guest, situation);
      const idle = percent(100 - situation.host.busy(bound));
      return {
        ...common,
        rule: 'cpu-wait',
        class: 3,
        cause: placeName(bound),
        tell: (all) => ({
          sentence: (label) => `${waiting(all, label)} though ${placeName(bound)} are ${idle} idle: not load`,
        }),
      };
    }
    case 'silent':
      return undefined;
  }
}

function limitTold(guest: GuestSignals, ready: number): Told {
  const limit = guest.value(cpu.cpu_limit);
  const of_ = Number.isNaN(limit) ? '' : ` of ${cpus(limit)}`;
  const throttled = guest.means.of(of.throttled);
  const waits = guest.isContainer ? guest.means.of(of.cpuPressure) : ready;
  const isHeld = guest.isContainer && throttled >= 0;
  const how = isHeld ? `held back ${percent(throttled)}` : `waits ${percent(waits)}`;
  return { sentence: (label) => `${label(guest)} at its CPU limit${of_} (${how})` };
}

/** Who waits, and how long: `3102 pg RDY 40 %`, `RDY 12-40 % on 9 guests`. */
function waiting(all: readonly Finding[], label: Label): string {
  const [first] = all;
  if (all.length === 1) return `${who(all, label)} ${first?.suffers ?? ''}`;
  const isContainer = first?.guest?.isContainer === true;
  const values = all.map(({ guest }) => guest?.means.of(isContainer ? of.cpuPressure : of.ready) ?? NaN);
  return `${isContainer ? 'waits' : 'RDY'} ${range(values)} on ${guestsOf(all.length)}`;
}

function shortTold(
  all: readonly Finding[],
  bound: ReadonlySet<number> | undefined,
  cause: string,
  situation: Situation,
): Told {
  const shares = cpuShares(situation, bound);
  const named = namedOf(all, steady(shares, cause, situation));
  const count = bound?.size ?? situation.host.cores;
  const where = bound === undefined ? '' : ` on ${placeName(bound)}`;
  const [one] = named;
  const isAbout =
    bound !== undefined && named.some(({ signals }) => signals !== undefined && !isWithin(signals, bound));
  const about = isAbout ? 'about ' : '';
  return {
    takers: listed(shares),
    sentence: (label) => {
      const whom = `${waiting(all, label)}${where}`;
      if (one === undefined) return `${whom}: ${wanted(situation, bound)} of ${cpus(count)} wanted`;
      if (named.length > 1 || bound !== undefined)
        return `${whom}: ${named.map((each) => `${label(each)} ${about}${percent(each.share)}`).join(', ')}`;
      return `${whom}: ${label(one)} takes ${percent(one.share)} of ${cpus(count)}`;
    },
  };
}

function isWithin({ affinity }: GuestSignals, bound: ReadonlySet<number>): boolean {
  return affinity !== undefined && [...affinity].every((each) => bound.has(each));
}

/** Whom to name: the two that take most, without those that suffer and those the kernel puts behind them; none of many. */
function namedOf(all: readonly Finding[], shares: readonly Share[]): readonly Share[] {
  const victims = new Set(all.map(({ guest }) => guest));
  const weights = all.map(({ guest }) => guest?.value(cpu.cpu_weight) ?? NaN);
  const isLight = (signals: GuestSignals | undefined): boolean => {
    const weight = signals?.value(cpu.cpu_weight) ?? NaN;
    return weights.every((each) => weight <= each * LIGHT);
  };
  // The largest consumer waits too, because it gets only its share while others want theirs.
  const [most, next] = shares.filter(({ signals }) => victims.has(signals)).sort((a, b) => b.share - a.share);
  const isGreedy = most !== undefined && next !== undefined && most.share >= LARGER * next.share;
  const others = shares.filter(
    (each) =>
      each.share >= NAMED &&
      !isLight(each.signals) &&
      (!victims.has(each.signals) || (isGreedy && each === most)),
  );
  return others.some(({ share }) => share >= ONE) ? others.slice(0, 2) : [];
}

/** How many CPUs all want there: what they use, and what those who may run there wait for. */
function wanted({ host, guests }: Situation, bound: ReadonlySet<number> | undefined): string {
  const busy = (host.busy(bound) / 100) * (bound?.size ?? host.cores);
  const waits = guests
    .filter((guest) => bound === undefined || isWithin(guest, bound))
    .map((guest) => ((guest.means.of(of.waits) || 0) / 100) * (guest.value(cpu.cpu_cores) || 0));
  return number(waits.reduce((sum, each) => sum + each, busy));
}

/** Whether the threads of QEMU beside the vCPUs wait for a CPU, and with them disks and NICs. */
function qemuWaits(guest: GuestSignals, { symptoms }: Situation): boolean {
  const { means } = guest;
  const level = standing(means.of(of.othersWaitJudged), OTHERS_WAIT, OTHERS_WAIT / 2);
  const isIdle = level === 'beyond' && !(means.of(of.others) >= EMULATES);
  return symptoms.shows('qemu', guest, isIdle ? 'between' : level);
}

function emulator(guest: GuestSignals, situation: Situation): Finding {
  const waits = guest.means.of(of.othersWait);
  const bound = boundTo(guest, situation);
  const isShort = situation.host.busy(bound) >= BUSY;
  const tell = (all: readonly Finding[]): Told => {
    const shares = isShort ? cpuShares(situation, bound) : [];
    const named = namedOf(all, steady(shares, `qemu ${guest.key}`, situation));
    const takers = named.map((each) => [each, percent(each.share)] as const);
    return {
      takers: listed(shares),
      sentence: (label) => {
        const whom = takers.map(([each, share]) => `${label(each)} ${share}`).join(', ');
        const symptom = `${label(guest)}: QEMU's I/O threads wait ${percent(waits)} for a CPU`;
        return whom === '' ? symptom : `${symptom}: ${whom}`;
      },
    };
  };
  return {
    rule: 'qemu-wait',
    class: 3,
    cause: guest.key,
    guest,
    suffers: `OTHRDY ${percent(waits)}`,
    score: scoreOf(waits, OTHERS_WAIT, waits / 100),
    tell,
  };
}
