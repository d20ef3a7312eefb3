import type { Logger } from 'pino';
import type { StoreSettings } from '../settings.ts';
import { lastWord } from '../shared/last-word.ts';
import { Ledger } from './ledger.ts';
import type { SpoolIdentity } from './spool/header.ts';
import { Store } from './store.ts';

/**
 * The stores of all outputs, one for each name and format, and the ledgers, one for each name. Ledgers are kept until the
 * program ends: the drops of an output stay counted for the one that replaces it.
 */
export class Stores {
  private readonly ledgers = new Map<string, Ledger>();
  private readonly stores = new Set<Store>();

  constructor(private readonly log: Logger) {}

  /** The store of this identity; it is made where there is none. One that is there keeps its settings. */
  take(identity: SpoolIdentity, settings: StoreSettings): Store {
    const { output, format } = identity;
    for (const store of this.stores) {
      if (store.identity.output === output && store.identity.format === format) return store;
    }
    let ledger = this.ledgers.get(output);
    if (ledger === undefined) this.ledgers.set(output, (ledger = new Ledger()));
    const store = new Store(settings, identity, ledger, this.logOf(output));
    this.stores.add(store);
    return store;
  }

  /** Closes all stores but these. */
  async keep(used: ReadonlySet<Store>): Promise<void> {
    await Promise.all([...this.stores].filter((store) => !used.has(store)).map((store) => this.end(store)));
  }

  close(): Promise<void> {
    return this.keep(new Set());
  }

  private async end(store: Store): Promise<void> {
    this.stores.delete(store);
    await store.close();
    const { directory = '', ledger, identity } = store;
    const heir = [...this.stores].find((other) => other.ledger === ledger && other.directory === directory);
    const left = heir === undefined ? store.leave() : 0;
    heir?.follow(store);
    if (!store.silent) lastWord(this.logOf(identity.output), ledger.drops, { records: left, directory });
  }

  private logOf(output: string): Logger {
    return this.log.child({}, { msgPrefix: `${output}: ` });
  }
}
