import { growth } from '../../kernel/base/counters.ts';
import type { CpuTimes, ProcStat } from '../../kernel/proc/proc-stat.ts';
import { procStatCounters as c } from '../../kernel/proc/proc-stat.ts';
import { parseCpuList } from '../../kernel/sys/cpu-list.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { DeviceRows } from '../device-rows.ts';
import { wholeTicks } from './cpu-shares.ts';

const to = slots('cpu', 'host_cpu');
const PERCENT = 100;

/** Names of the VMs that are pinned to a CPU, joined by semicolons, by its number. */
export type PinnedGuests = ReadonlyMap<number, string>;

/** Puts together which VMs are pinned to a CPU. @param guests with the CPUs that they may run on, as the kernel lists them */
export function pinnedGuests(
  guests: readonly (readonly [name: string, affinity: string | undefined])[],
  cpus: number,
): PinnedGuests {
  const pinned = new Map<number, string>();
  for (const [name, affinity = ''] of guests) {
    const allowed = parseCpuList(affinity);
    if (!(allowed.size < cpus)) continue;
    for (const cpu of allowed) {
      const others = pinned.get(cpu);
      pinned.set(cpu, others === undefined ? name : `${others};${name}`);
    }
  }
  return pinned;
}

/** Sets a row for each CPU: where it was there at both readings, how its time was spent. @param elapsed seconds */
export function setEachCpu(
  before: ProcStat,
  after: ProcStat,
  elapsed: number,
  rows: DeviceRows,
  pinned: PinnedGuests,
): void {
  for (let index = 0; index < after.cpus; index++) {
    const times = after.each[index] as CpuTimes;
    const row = rows.add(String(times.number));
    row.texts[to.cpu_pinned] = pinned.get(times.number);
    const earlier = before.each[index];
    if (earlier?.number === times.number) setShares(earlier, times, elapsed, row.values);
  }
}

function setShares(before: CpuTimes, after: CpuTimes, elapsed: number, values: Float64Array): void {
  const whole = wholeTicks(before.counters, after.counters, elapsed, 1, 1);
  const share = (counter: number): number =>
    (growth(before.counters, after.counters, counter) / whole) * PERCENT;
  const [iowait, steal] = [share(c.iowait), share(c.steal)];
  values[to.cpu_busy] = Math.max(0, PERCENT - share(c.idle) - (iowait || 0) - steal);
  values[to.cpu_guest] = share(c.guest) + share(c.guestNice);
  values[to.cpu_steal] = steal;
  values[to.cpu_irq] = share(c.irq);
  values[to.cpu_softirq] = share(c.softirq);
}
