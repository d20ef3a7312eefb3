import type { Guest } from '../../guests/guest.ts';
import { parseNumberAt } from '../../kernel/base/number-file.ts';
import { readValue } from '../../kernel/base/read.ts';
import type { Cgroup } from '../../kernel/sys/cgroup/cgroup.ts';
import { parseCpuMax } from '../../kernel/sys/cgroup/cgroup-limit.ts';
import { slots } from '../../catalogue/catalogue.ts';
import { now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

const to = slots('cpu', 'vm');
/** Seconds between two reads: limits change rarely. */
const BEAT = 30;

/** What a guest may use of the CPUs: as its cgroup says, or where that has no controller, its configuration. */
export class CpuLimit {
  private readonly beat = new SlowBeat(BEAT);
  private limit = NaN;
  private weight = NaN;

  constructor(private readonly cgroup: Cgroup | undefined) {}

  /** Sets limit and weight, and how close the CPUs that the guest uses, which are set before, come to the limit. */
  set(values: Float64Array, guest: Guest): void {
    if (this.beat.due(now())) this.read();
    const { vcpuLimit, vcpus } = guest;
    const inAll = (Number.isNaN(this.limit) ? guest.cpuLimit : this.limit) ?? Infinity;
    const ofVcpus = vcpuLimit === undefined ? Infinity : vcpuLimit * vcpus;
    values[to.cpu_weight] = Number.isNaN(this.weight) ? (guest.cpuWeight ?? NaN) : this.weight;
    const limit = Math.min(inAll, ofVcpus);
    if (!Number.isFinite(limit)) return;
    values[to.cpu_limit] = limit;
    // Work of QEMU besides its vCPUs does not count for the limit of the vCPUs.
    const byVcpus = vcpuLimit === undefined ? 0 : (values[to.cpu_total] as number) / vcpuLimit;
    const byAll = ((values[to.cpu_used] as number) / inAll) * 100;
    values[to.cpu_limit_used] = Math.min(100, Math.max(byAll, byVcpus));
  }

  private read(): void {
    if (this.cgroup === undefined) return;
    this.limit = readValue(this.cgroup.cpuMax, parseCpuMax);
    this.weight = readValue(this.cgroup.cpuWeight, parseNumberAt);
  }
}
