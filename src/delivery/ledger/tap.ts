import type { Entry, Handed } from './entry.ts';
import type { Ledger } from './ledger.ts';
import type { Store, StoreStatus } from './store.ts';

/**
 * How a destination gets the records of its store. It takes them one by one with `next` and then reports what became of
 * each. When another destination replaces it, it gets no more records but can still confirm them and give them back.
 */
export class Tap {
  /** Whether it is the one that takes records; see {@link Store.attach}. */
  current = false;
  /** Called when there may be something to take that was not there before. */
  onReadable: () => void = () => undefined;
  readonly ledger: Ledger;
  private peerTakes = false;

  constructor(private readonly store: Store) {
    this.ledger = store.ledger;
  }

  get status(): StoreStatus {
    return this.store.status;
  }

  /** Whether there is nothing to take. */
  get empty(): boolean {
    return !this.current || this.store.empty;
  }

  get reachable(): boolean {
    return this.peerTakes;
  }

  /** Whether the peer takes records at the moment; while it does not, they are spooled. */
  set reachable(reachable: boolean) {
    this.peerTakes = reachable;
    if (this.current) this.store.reachable = reachable;
  }

  hasBatch(records: number, bytes: number): boolean {
    return this.current && this.store.hasBatch(records, bytes);
  }

  /** See {@link Store.next}. */
  next(fresh = false, end = Infinity): Entry | undefined {
    return this.current ? this.store.next(fresh, end) : undefined;
  }

  /** Its destination has settled all its records and will take no more. */
  end(): void {
    this.store.ended(this);
  }

  /** Records that were taken are known to have arrived. */
  arrived({ first, count }: Handed): void {
    for (let ordinal = first; ordinal < first + count; ordinal++) this.ledger.arrive(ordinal);
  }

  /** Takes records back that were not delivered. @param tried whether the peer may have got them */
  giveBack(records: readonly Handed[], tried: boolean): void {
    if (records.length > 0) this.store.giveBack(records, tried);
  }
}
