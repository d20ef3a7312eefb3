import { slots } from '../../catalogue/catalogue.ts';
import { SLOW, ofDisk } from '../device-signals.ts';
import type { DiskSignals } from '../device-signals.ts';
import { scoreOf } from '../finding.ts';
import type { Finding, Told } from '../finding.ts';
import { of } from '../guest-signals.ts';
import type { GuestSignals } from '../guest-signals.ts';
import { standing } from '../hysteresis.ts';
import type { Standing } from '../hysteresis.ts';
import { deviceLoad, listed, steady } from '../shares.ts';
import type { Situation } from '../situation.ts';
import { guests, number, percent, who } from '../wording.ts';

const diskSlots = slots('disk', 'vm_disk');
const { cpu_other_busiest: BUSIEST } = slots('cpu', 'vm');

/** ms below which operations are no longer slow. */
const FAST_AGAIN = 15;
/** Operations per second from which on their latency says something: 20 in ten seconds. */
const ENOUGH = 2;
/** Percent of a limit from which on it is reached. */
const AT_LIMIT = 90;
/** ms from which on a device is slow itself, and up to which it is fast. */
const SLOW_DEVICE = 15;
const FAST_DEVICE = 5;
/** The part of the latency up to which the device is not what takes the time, even if it got each operation in a few parts. */
const LITTLE = 1 / 5;
/** A device that does less answers slowly without being asked much. */
const FEW_OPERATIONS = 50;
const FEW_MIB = 5;
/** Share, percent, from which on one is named, and how much larger than that of the victim it must be. */
const NAMED = 40;
const LARGER = 2;
/** Percent from which on a thread of QEMU is full. */
const FULL = 90;

/** Why a disk is slow; unknown where its device is. */
type Reason = 'limit' | 'device' | 'backup' | 'flush' | 'thread' | 'above' | 'unknown';

/** The limits of a disk with what they are about, and the rates that they limit. */
const limits = [
  [diskSlots.disk_iops_limit, 'IOPS', [diskSlots.disk_reads, diskSlots.disk_writes]],
  [diskSlots.disk_mib_limit, 'MiB/s', [diskSlots.disk_read_mib, diskSlots.disk_write_mib]],
  [diskSlots.disk_reads_limit, 'reads/s', [diskSlots.disk_reads]],
  [diskSlots.disk_writes_limit, 'writes/s', [diskSlots.disk_writes]],
  [diskSlots.disk_read_mib_limit, 'MiB/s read', [diskSlots.disk_read_mib]],
  [diskSlots.disk_write_mib_limit, 'MiB/s written', [diskSlots.disk_write_mib]],
] as const;

/** Latencies of a disk, ms; NaN where nothing is known of it. */
interface Latencies {
  readonly all: number;
  readonly writes: number;
  readonly flushes: number;
  readonly reads: number;
  readonly device: number;
}

/** Virtual disks whose operations take long: held back by a limit of their own, by the device below, or on the way to it. */
export function diskFindings(situation: Situation, found: Finding[]): void {
  for (const guest of situation.guests) {
    if (!guest.isAtWork) continue;
    for (const disk of guest.disks) {
      if (situation.symptoms.shows('disk', disk, symptomOf(disk)))
        found.push(explained(guest, disk, situation));
    }
  }
}

function symptomOf({ means, wasSlow }: DiskSignals): Standing {
  const slowest = Math.max(
    means.ratio(ofDisk.timeJudged, ofDisk.operations) || 0,
    means.ratio(ofDisk.writeTimeJudged, ofDisk.writes) || 0,
    means.ratio(ofDisk.flushTimeJudged, ofDisk.flushes) || 0,
  );
  const operations = means.of(ofDisk.operations);
  if (Number.isNaN(operations)) return 'unknown';
  const level = standing(slowest, SLOW, FAST_AGAIN);
  return level === 'beyond' && !(wasSlow && operations >= ENOUGH) ? 'between' : level;
}

function latenciesOf({ means }: DiskSignals): Latencies {
  return {
    all: means.ratio(ofDisk.time, ofDisk.operations),
    reads: means.ratio(ofDisk.readTime, ofDisk.reads),
    writes: means.ratio(ofDisk.writeTime, ofDisk.writes),
    flushes: means.ratio(ofDisk.flushTime, ofDisk.flushes),
    device: means.ratio(ofDisk.belowTime, ofDisk.belowOperations),
  };
}

function reasonOf(guest: GuestSignals, disk: DiskSignals, latencies: Latencies): Reason {
  const { all, reads, writes, flushes, device } = latencies;
  const isDeviceSlow = device >= SLOW_DEVICE && device >= Math.max(all, writes || 0) / 2;
  if (isDeviceSlow) return 'device';
  if (disk.means.of(ofDisk.limitUsed) >= AT_LIMIT && !(device >= all / 2)) return 'limit';
  const isFast = device <= FAST_DEVICE && device <= all * LITTLE;
  if (guest.text('lock') === 'backup' && writes >= FAST_AGAIN && isFast) return 'backup';
  if (flushes >= FAST_AGAIN && !(reads >= FAST_AGAIN) && !(writes >= FAST_AGAIN)) return 'flush';
  if (guest.means.of(of.thread) >= FULL) return 'thread';
  return isFast ? 'above' : 'unknown';
}

function explained(guest: GuestSignals, disk: DiskSignals, situation: Situation): Finding {
  const { device } = disk;
  const latencies = latenciesOf(disk);
  const reason = disk.explanation.step(reasonOf(guest, disk, latencies), situation.time) as Reason;
  const { all, writes, flushes, device: below } = latencies;
  const ms = `LAT ${number(all)} ms`;
  const common = {
    guest,
    device,
    cause: `${guest.key} ${device}`,
    suffers: ms,
    score: scoreOf(all, SLOW, disk.means.of(ofDisk.operations) / 100),
  };
  const name = guest.disks.length > 1 ? ` ${device}` : '';
  const plain = (symptom: string, cause: string): (() => Told) => {
    return () => ({ sentence: (label) => `${label(guest)}${name} ${symptom}: ${cause}` });
  };
  const answers = Number.isNaN(below) ? '' : ` (device ${number(below)} ms)`;
  switch (reason) {
    case 'limit':
      return {
        ...common,
        rule: 'disk-limit',
        class: 4,
        tell: plain(ms, `own limit of ${limitOf(disk)} reached${answers}`),
      };
    case 'device': {
      const on = disk.row.texts[diskSlots.disk_device] ?? '';
      return {
        ...common,
        rule: 'disk-slow',
        class: 3,
        cause: on,
        tell: (group) => deviceTold(group, on, disk, situation),
      };
    }
    case 'backup':
      return {
        ...common,
        rule: 'disk-backup',
        class: 3,
        suffers: `writes ${number(writes)} ms`,
        tell: plain(`writes take ${number(writes)} ms`, `its backup runs${answers}`),
      };
    case 'flush':
      return {
        ...common,
        rule: 'disk-flush',
        class: 3,
        suffers: `flushes ${number(flushes)} ms`,
        tell: plain(`flushes take ${number(flushes)} ms`, 'no safe write cache below'),
      };
    case 'thread': {
      const thread = guest.rows.row.texts[BUSIEST] ?? 'of QEMU';
      const busy = percent(guest.means.of(of.thread));
      return {
        ...common,
        rule: 'disk-thread',
        class: 4,
        tell: plain(ms, `thread ${thread} is full (${busy})${answers}`),
      };
    }
    case 'above':
      return {
        ...common,
        rule: 'disk-latency',
        class: 3,
        tell: plain(ms, `not the storage${answers}`),
      };
    case 'unknown': {
      const cause = Number.isNaN(below)
        ? 'the device below is not known'
        : `the device takes ${number(below)} ms`;
      return { ...{ ...common, rule: 'disk-latency', class: 3 }, tell: plain(ms, cause) };
    }
  }
}

/** The limit that is nearest: `25 IOPS`. */
function limitOf({ row: { values } }: DiskSignals): string {
  let nearest = -1;
  let told = 'its configuration';
  for (const [slot, unit, rates] of limits) {
    const limit = values[slot] ?? NaN;
    const used = rates.reduce((sum, rate) => sum + (values[rate] ?? NaN), 0) / limit;
    if (used > nearest) [nearest, told] = [used, `${number(limit)} ${unit}`];
  }
  return told;
}

/** A device that answers slowly: who asks most of it, or that it is slow although little is asked. */
function deviceTold(all: readonly Finding[], device: string, disk: DiskSignals, situation: Situation): Told {
  const { operations, mib, shares } = deviceLoad(situation, device);
  const name = disk.row.texts[diskSlots.disk_storage] ?? device;
  const ms = number(disk.means.ratio(ofDisk.belowTime, ofDisk.belowOperations));
  const isAtLimit = disk.means.of(ofDisk.limitUsed) >= AT_LIMIT;
  const more = isAtLimit ? ', and its own limit is reached' : '';
  const total =
    mib > 0 && operations < FEW_OPERATIONS ? `${number(mib)} MiB/s` : `${number(operations)} IOPS`;
  const victims = new Set(all.map(({ guest }) => guest));
  const ofVictims = Math.max(
    0,
    ...shares.filter(({ signals }) => victims.has(signals)).map(({ share }) => share),
  );
  const named = steady(shares, `disk ${device}`, situation).find(
    ({ signals, share }) => !victims.has(signals) && share >= NAMED && share >= LARGER * ofVictims,
  );
  const isLittle = operations < FEW_OPERATIONS && mib < FEW_MIB;
  return {
    takers: listed(shares),
    sentence: (label) => {
      const whom = all.length === 1 ? who(all, label) : guests(all.length);
      if (isLittle)
        return `${name} answers in ${ms} ms with only ${number(operations)} IOPS (${whom}): disk, path or array`;
      const head = `${name} answers in ${ms} ms (${whom})`;
      if (named === undefined) return `${head} at ${total}${more}`;
      return `${head}: ${label(named)} ${percent(named.share)} of ${total}${more}`;
    },
  };
}
