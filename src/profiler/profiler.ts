import type { GuestIdentity } from '../guests/guest.ts';
import { columns, slots } from '../catalogue/catalogue.ts';
import type { Sample } from '../sampling/sample.ts';
import { RowInputs, rulesFor, usualInputs } from './inputs.ts';
import { profileLine } from './profile.ts';
import type { Subject } from './profile.ts';
import type { ProfilerSettings } from './settings.ts';
import type { MetricRule, VmState } from './model/vm-profile.ts';
import { VmProfile } from './model/vm-profile.ts';

/** What a restart carries over of one VM. */
export interface SavedVm {
  readonly uuid: string;
  /** {@link GuestIdentity.key}: a VM that was started again meanwhile is another one. */
  readonly key: string;
  readonly state: VmState;
}

const { pid: pidSlot } = slots('identity', 'vm');
/** What a saved profile is found by: several VMs may have one UUID. */
const savedKey = ({ uuid, key }: Pick<GuestIdentity, 'uuid' | 'key'>): string => `${uuid} ${key}`;
const speedSlot = columns('host').find(({ id }) => id === 'net_speed')?.slot ?? -1;

/**
 * Makes profiles of the samples. They are due to be sent whenever the wall clock passes a multiple of the output interval
 * and at the last sample of a limited run; that of a VM that has gone at once, for it ends with the VM.
 */
export class Profiler {
  private vms = new Map<GuestIdentity, VmProfile>();
  /** Those that went with this sample. */
  private ended = new Map<GuestIdentity, VmProfile>();
  private readonly settings: ProfilerSettings;
  private readonly inputs: RowInputs;
  private readonly names: readonly string[];
  private readonly runs: number;
  private readonly waiting: Map<string, SavedVm>;
  /** The pids of VMs that nothing else tells from others. */
  private readonly twins = new WeakMap<GuestIdentity, string | undefined>();
  /** Printed for an output already, after this sample. */
  private readonly lines = new Map<VmProfile, Buffer>();
  private rules: readonly MetricRule[] = [];
  private link: number | undefined;
  private next = NaN;
  private isDue = false;

  /**
   * @param runs number of the last sample
   * @param saved profiles to go on with, each when its VM is seen
   */
  constructor(settings: ProfilerSettings, runs: number, saved: readonly SavedVm[]) {
    this.settings = settings;
    const names = settings.metrics ?? usualInputs;
    this.names = names;
    this.inputs = new RowInputs(names);
    this.runs = runs;
    this.waiting = new Map(saved.map((vm) => [savedKey(vm), vm]));
  }

  /** Whether all profiles are due after the last sample. */
  get due(): boolean {
    return this.isDue;
  }

  /** Takes a sample. */
  take({ guests, host, time, seq }: Sample): void {
    const rules = this.rulesNow(host.row.values[speedSlot] ?? NaN);
    const present = new Map<GuestIdentity, VmProfile>();
    for (const { guest, row, twin } of guests) {
      if (twin) this.twins.set(guest, row.texts[pidSlot]);
      const profile = this.vms.get(guest) ?? this.begin(guest);
      present.set(guest, profile);
      profile.put(rules, this.inputs.read(row));
    }
    this.ended = new Map([...this.vms].filter(([vm, profile]) => !present.has(vm) && !profile.empty));
    this.vms = present;
    this.lines.clear();
    this.isDue = this.passes(time) || seq === this.runs;
  }

  /** The line of a VM of the last sample, or of one that went with it and had a profile. */
  line(vm: GuestIdentity): Buffer | undefined {
    const profile = this.vms.get(vm) ?? this.ended.get(vm);
    if (profile === undefined) return undefined;
    let line = this.lines.get(profile);
    if (line === undefined) {
      line = Buffer.from(profileLine(this.subjectOf(vm), profile));
      this.lines.set(profile, line);
    }
    return line;
  }

  /** Whether a VM went with the last sample. */
  hasEnded(vm: GuestIdentity): boolean {
    return this.ended.has(vm);
  }

  /** What a restart needs to go on exactly here. Saved profiles count until a first VM is seen. */
  saved(): SavedVm[] {
    if (this.vms.size === 0) return [...this.waiting.values()];
    return [...this.vms].map(([vm, { state }]) => ({ uuid: vm.uuid, key: vm.key, state }));
  }

  private subjectOf(vm: GuestIdentity): Subject {
    return { name: vm.uuid, guest_type: vm.type, vmid: vm.vmid, pid: this.twins.get(vm) };
  }

  private begin(vm: GuestIdentity): VmProfile {
    const key = savedKey(vm);
    const saved = this.waiting.get(key);
    this.waiting.delete(key);
    return new VmProfile(this.settings.profile, saved?.state);
  }

  /** Links come up and go down; what has been the bound stays, since bounds never shrink. */
  private rulesNow(link: number): readonly MetricRule[] {
    if (!Object.is(link, this.link)) {
      this.link = link;
      const { profile, limits } = this.settings;
      this.rules = rulesFor(this.names, profile.fixedBound, limits, link);
    }
    return this.rules;
  }

  /** Whether the clock has passed a multiple of the output interval. */
  private passes(time: number): boolean {
    const interval = this.settings.outputFreq * 1000;
    const passed = time >= this.next;
    // Also when the clock was set back, which would put the next line off.
    if (passed || !(this.next - time <= interval)) this.next = (Math.floor(time / interval) + 1) * interval;
    return passed;
  }
}
