import type { Detail, VcpuReading } from '../../guests/guest.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { GuestTarget, Wanted } from '../collector.ts';
import { Totals } from '../readings.ts';
import { CpuLimit } from './cpu-limit.ts';

const vmSlots = slots('cpu', 'vm');
const vcpuSlots = slots('cpu', 'vm_vcpu');
const NS_PER_S = 1e9;
const [RUN, WAIT, OTHER_RUN] = [0, 1, 2] as const;

/** ns between two counts; NaN where not known or gone backwards. */
function grown(previous: number | undefined, current: number | undefined): number {
  const ns = (current ?? NaN) - (previous ?? NaN);
  return ns >= 0 ? ns : NaN;
}

/**
 * CPU time of a VM whose process cannot be seen, from what libvirt says of its vCPUs. It comes at the slower interval;
 * libvirt reads the time that a vCPU ran in steps of 10 ms, which over 5 s is 0.2 percent.
 */
export class RemoteCpu {
  private previous: Detail | undefined;
  private current: Detail | undefined;
  private readonly totals = new Totals(3);
  private readonly limit = new CpuLimit(undefined);

  collect(target: GuestTarget, wanted: Wanted): void {
    const { detail } = target.guest;
    const isNew = detail !== this.current;
    if (isNew) {
      this.previous = this.current;
      this.current = detail;
    }
    const { previous, current, totals } = this;
    if (previous === undefined || current?.vcpus === undefined) return;
    // A kernel that keeps no such statistics makes libvirt tell 0 for ever: no vCPU that runs never waits at all.
    const isKept = current.vcpus.some(({ wait }) => wait > 0) || !current.vcpus.some(({ run }) => run > 0);
    const percentPerNs = 100 / NS_PER_S / (current.time - previous.time);
    const before = new Map<number, VcpuReading>(previous.vcpus?.map((vcpu) => [vcpu.number, vcpu]));
    let used = 0;
    let ready = 0;
    let mostUsed = 0;
    let mostReady = 0;
    for (const vcpu of current.vcpus) {
      const last = before.get(vcpu.number);
      const ran = grown(last?.run, vcpu.run);
      const waited = isKept ? grown(last?.wait, vcpu.wait) : NaN;
      used += ran;
      ready += waited;
      mostUsed = Math.max(mostUsed, ran);
      mostReady = Math.max(mostReady, waited);
      if (!wanted.devices) continue;
      const { values, counters } = target.devices.vcpus.add(String(vcpu.number));
      values[vcpuSlots.cpu_total] = Math.min(100, ran * percentPerNs);
      values[vcpuSlots.cpu_steal] = waited * percentPerNs;
      counters[vcpuSlots.cpu_total] = vcpu.run;
      counters[vcpuSlots.cpu_steal] = isKept ? vcpu.wait : NaN;
    }
    // The steps of the vCPUs' times can exceed the exact time of the whole process.
    const other = Math.max(0, grown(previous.cpuTime, current.cpuTime) - used);
    if (isNew) {
      totals.add(RUN, used);
      totals.add(WAIT, ready);
      totals.add(OTHER_RUN, other);
    }
    const { values, counters } = target.row;
    values[vmSlots.cpu_total] = Math.min(100, (used * percentPerNs) / current.vcpus.length);
    values[vmSlots.cpu_steal] = (ready * percentPerNs) / current.vcpus.length;
    values[vmSlots.cpu_total_max] = Math.min(100, mostUsed * percentPerNs);
    values[vmSlots.cpu_steal_max] = mostReady * percentPerNs;
    values[vmSlots.cpu_used] = ((used + other) * percentPerNs) / 100;
    this.limit.set(values, target.guest);
    values[vmSlots.cpu_other_total] = other * percentPerNs;
    counters[vmSlots.cpu_total] = totals.at(RUN);
    counters[vmSlots.cpu_steal] = totals.at(WAIT);
    counters[vmSlots.cpu_other_total] = totals.at(OTHER_RUN);
  }
}
