import type { Collector, HostTarget, GuestTarget } from '../collectors/collector.ts';
import type { GuestIdentity } from '../guests/guest.ts';
import { slots } from '../catalogue/catalogue.ts';
import { RowInputs } from './inputs.ts';
import { Follower } from './model/likeliness.ts';
import type { Profile } from './profile.ts';
import type { ProfileSet } from './read/read-profiles.ts';
import type { InputName } from './settings.ts';
import { inputNames } from './settings.ts';

const vmSlots = slots('profile', 'vm');
const { pid } = slots('identity', 'vm');

/** Sets how likely each VM's present behaviour is. Runs after the collectors that measure. */
export class LikelinessCollector implements Collector {
  readonly name = 'profile';
  private readonly inputs = new RowInputs(inputNames);
  private readonly index: ReadonlyMap<string, number> = new Map(
    inputNames.map((name, index) => [name, index]),
  );
  private readonly followers = new WeakMap<GuestIdentity, Follower>();

  constructor(private readonly profiles: ProfileSet) {}

  collect(_host: HostTarget, vms: readonly GuestTarget[]): void {
    const { values } = this.inputs;
    const valueOf = (metric: string): number => values[this.index.get(metric) ?? -1] ?? NaN;
    for (const { guest, row } of vms) {
      const { uuid, type, vmid } = guest;
      const profile = this.profiles.of({ name: uuid, guest_type: type, vmid, pid: row.texts[pid] });
      if (profile === undefined) continue;
      this.inputs.read(row);
      row.values[vmSlots.profile_likeliness] = this.follower(guest, profile).next(valueOf);
    }
  }

  private follower(vm: GuestIdentity, profile: Profile): Follower {
    let follower = this.followers.get(vm);
    if (follower?.profile !== profile) {
      follower = new Follower(profile);
      this.followers.set(vm, follower);
    }
    return follower;
  }

  close(): void {
    // Nothing is kept open.
  }
}

/** The metrics of profiles that can be measured on a running VM. */
export function measuredMetrics(profiles: ProfileSet): readonly InputName[] {
  return inputNames.filter((name) =>
    profiles.all.some(({ roottx }) => roottx.some(({ metric }) => metric === name)),
  );
}
