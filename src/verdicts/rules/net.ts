import { slots } from '../../catalogue/catalogue.ts';
import { ofNic } from '../device-signals.ts';
import type { NicSignals } from '../device-signals.ts';
import { scoreOf } from '../finding.ts';
import type { Finding, Told } from '../finding.ts';
import { WAITS, of } from '../guest-signals.ts';
import type { GuestSignals } from '../guest-signals.ts';
import { ofHostNic } from '../host-signals.ts';
import { standing } from '../hysteresis.ts';
import type { Standing } from '../hysteresis.ts';
import { listed, nicShares } from '../shares.ts';
import type { Situation } from '../situation.ts';
import { number, percent } from '../wording.ts';

const { net_speed: SPEED } = slots('net', 'host_nic');
const nicSlots = slots('net', 'vm_nic');
const cpu = slots('cpu', 'vm');
const { cpu_total: VCPU_USED } = slots('cpu', 'vm_vcpu');
const { device: VCPU } = slots('identity', 'vm_vcpu');

/** Percent of its incoming packets that a guest loses. */
const LOSES = 1;
const LOSES_LITTLE = 0.3;
/** Packets per second from which on a share of them says something: 1,000 in ten seconds. */
const ENOUGH = 100;
/** Percent from which on a limit is reached, a vCPU or a thread is full. */
const FULL = 90;
const VCPU_FULL = 95;
/** Percent of its speed from which on a NIC is full, and below which it is no longer. */
const NIC_FULL = 90;
const NIC_EASY = 80;
/** Share, percent, from which on one is named. */
const NAMED = 25;
/** Interfaces whose speed has no meaning: those of guests, bridges, bonds, VLANs. */
const virtual = /^(tap|veth|fw|vmbr|br|bond|virbr|docker|lxc|vnet|macvtap)|\./;

/** Why a guest does not take its packets. */
type Reason = 'limit' | 'vcpu' | 'thread' | 'guest' | 'silent';

/** Guests that lose packets, and NICs of the host that can carry no more. */
export function netFindings(situation: Situation, found: Finding[]): void {
  for (const guest of situation.guests) {
    if (!guest.isAtWork) continue;
    for (const nic of guest.nics) {
      if (!situation.symptoms.shows('drops', nic, dropStanding(nic))) continue;
      const finding = explained(guest, nic, situation);
      if (finding !== undefined) found.push(finding);
    }
  }
  fullNics(situation, found);
}

function dropStanding({ means }: NicSignals): Standing {
  const level = standing(means.ratio(ofNic.droppedJudged, ofNic.packets) * 100 || 0, LOSES, LOSES_LITTLE);
  return level === 'beyond' && !(means.of(ofNic.packets) >= ENOUGH) ? 'between' : level;
}

function reasonOf(guest: GuestSignals, { means }: NicSignals): Reason {
  // It cannot run: that is reported already, or too minor.
  if (guest.means.of(of.waits) >= WAITS) return 'silent';
  if (means.of(ofNic.limitUsed) >= FULL) return 'limit';
  if (guest.means.of(of.vcpu) >= VCPU_FULL) return 'vcpu';
  const isVhost = guest.rows.row.texts[cpu.cpu_other_busiest]?.startsWith('vhost') === true;
  if (isVhost && guest.means.of(of.thread) >= FULL) return 'thread';
  return 'guest';
}

function explained(guest: GuestSignals, nic: NicSignals, situation: Situation): Finding | undefined {
  const { device } = nic;
  const reason = nic.explanation.step(reasonOf(guest, nic), situation.time) as Reason;
  if (reason === 'silent') return undefined;
  const lost = nic.means.ratio(ofNic.dropped, ofNic.packets) * 100;
  const causes: Readonly<Record<Exclude<Reason, 'silent'>, () => string>> = {
    limit: () => `own limit of ${number(nic.row.values[nicSlots.net_mbit_limit] ?? NaN)} Mbit/s reached`,
    vcpu: () => `its vCPU ${busiestVcpu(guest)} is full (${percent(guest.means.of(of.vcpu))})`,
    thread: () => `its vhost thread is full (${percent(guest.means.of(of.thread))})`,
    guest: () => 'it does not fetch them fast enough',
  };
  const told = causes[reason]();
  return {
    rule: reason === 'limit' ? 'net-limit' : 'net-drops',
    class: reason === 'limit' ? 4 : 3,
    cause: `${guest.key} ${device}`,
    guest,
    device,
    suffers: `loses ${percent(lost)}`,
    score: scoreOf(lost, LOSES),
    tell: () => ({
      sentence: (label) => `${label(guest)} loses ${percent(lost)} of incoming packets: ${told}`,
    }),
  };
}

function busiestVcpu({ rows: { vcpus } }: GuestSignals): string {
  let [most, name] = [-1, ''];
  for (const { values, texts } of vcpus) {
    const used = values[VCPU_USED] ?? NaN;
    if (used > most) [most, name] = [used, texts[VCPU] ?? ''];
  }
  return name;
}

function fullNics(situation: Situation, found: Finding[]): void {
  for (const nic of situation.host.nics.all) {
    const { name, means, row } = nic;
    const speed = row.values[SPEED] ?? NaN;
    if (virtual.test(name) || !(speed > 0)) continue;
    for (const direction of ['rx', 'tx'] as const) {
      const mbit = means.of(ofHostNic[direction]);
      const used = standing((mbit / speed) * 100, NIC_FULL, NIC_EASY);
      if (situation.symptoms.shows(direction, nic, used))
        found.push(full(name, direction, { mbit, speed }, situation));
    }
  }
}

function full(
  name: string,
  direction: 'rx' | 'tx',
  { mbit, speed }: { readonly mbit: number; readonly speed: number },
  situation: Situation,
): Finding {
  const verb = direction === 'tx' ? 'sends' : 'receives';
  const tell = (): Told => {
    const shares = nicShares(situation.guests, direction, mbit);
    const [first] = shares;
    const named = first !== undefined && first.share >= NAMED ? first : undefined;
    const symptom = `${name} ${verb} ${gigabits(mbit)} of ${gigabits(speed)} Gbit/s`;
    return {
      takers: listed(shares),
      sentence: (label) =>
        named === undefined ? symptom : `${symptom}: ${label(named)} at most ${percent(named.share)}`,
    };
  };
  return {
    rule: 'net-full',
    class: 5,
    cause: `${name} ${direction}`,
    guest: undefined,
    suffers: '',
    score: scoreOf((mbit / speed) * 100, NIC_FULL),
    tell,
  };
}

function gigabits(mbit: number): string {
  return number(mbit / 1000);
}
