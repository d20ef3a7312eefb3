import type { GuestTarget } from './collector.ts';

/** What a collector keeps about each VM from cycle to cycle; it goes with the VM. */
export class PerGuest<T> {
  private readonly known = new WeakMap<GuestTarget, T>();

  /** @param make what to keep about a VM that is new */
  constructor(private readonly make: (target: GuestTarget) => T) {}

  of(target: GuestTarget): T {
    let kept = this.known.get(target);
    if (kept === undefined) {
      kept = this.make(target);
      this.known.set(target, kept);
    }
    return kept;
  }
}
