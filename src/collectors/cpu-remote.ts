import type { Detail, VcpuReading } from '../connectors/connector.ts';
import { slots } from '../metrics/catalogue.ts';
import type { VmTarget, Wanted } from './collector.ts';

const vmSlots = slots('cpu', 'vm');
const vcpuSlots = slots('cpu', 'vm_vcpu');
const NS_PER_S = 1e9;

/** Percent of one CPU between two counts of ns; NaN where not known or gone backwards. */
function percent(previous: number | undefined, current: number | undefined, elapsed: number): number {
  const ns = (current ?? NaN) - (previous ?? NaN);
  return ns >= 0 ? (ns / NS_PER_S / elapsed) * 100 : NaN;
}

/**
 * CPU time of a VM whose process cannot be seen, from what libvirt says of its vCPUs. It comes with the slower beat;
 * libvirt reads the time that a vCPU ran in steps of 10 ms, which over 5 s is 0.2 percent.
 */
export class RemoteCpu {
  private previous: Detail | undefined;
  private current: Detail | undefined;

  collect(target: VmTarget, wanted: Wanted): void {
    const { detail } = target.vm;
    if (detail !== this.current) {
      this.previous = this.current;
      this.current = detail;
    }
    const { previous, current } = this;
    if (previous === undefined || current?.vcpus === undefined) return;
    const elapsed = current.time - previous.time;
    const before = new Map<number, VcpuReading>(previous.vcpus?.map((vcpu) => [vcpu.number, vcpu]));
    let used = 0;
    let ready = 0;
    for (const vcpu of current.vcpus) {
      const last = before.get(vcpu.number);
      const vcpuUsed = percent(last?.run, vcpu.run, elapsed);
      const vcpuReady = percent(last?.wait, vcpu.wait, elapsed);
      used += vcpuUsed;
      ready += vcpuReady;
      if (!wanted.devices) continue;
      const { values } = target.vcpuRows.add(String(vcpu.number));
      values[vcpuSlots.cpu_total] = Math.min(100, vcpuUsed);
      values[vcpuSlots.cpu_steal] = vcpuReady;
    }
    const { values } = target.row;
    values[vmSlots.cpu_total] = Math.min(100, used / current.vcpus.length);
    values[vmSlots.cpu_steal] = ready / current.vcpus.length;
    // The steps of the vCPUs' times can exceed the exact time of the whole process.
    values[vmSlots.cpu_other_total] = Math.max(0, percent(previous.cpuTime, current.cpuTime, elapsed) - used);
  }
}
