import { QmpError } from '../errors.ts';
import { KeptConnection } from './kept-connection.ts';
import { Monitor } from '../monitor.ts';
import type { Entrance } from '../monitor.ts';
import type { Answers, PreparedQueries, QmpQuery } from '../query.ts';
import { VISIT_DEADLINE } from '../visit.ts';

/**
 * A second monitor of a QEMU, made for proxtop alone: its connection is kept, and nobody waits for us. Whenever it does not
 * do, the monitor that others use is visited instead.
 */
export class OwnMonitor extends Monitor {
  /** @param shared the monitor that others use as well */
  constructor(
    path: string,
    entrance: Entrance | undefined,
    private readonly shared: Monitor,
    deadline: number = VISIT_DEADLINE,
  ) {
    super(path, deadline, entrance, new KeptConnection());
  }

  override due(now: number): boolean {
    return super.due(now) || this.shared.due(now);
  }

  /** Where this one cannot be used, the other one is asked at once; one that gives no answer in time is left out the next time. */
  override async ask<Q extends readonly QmpQuery<unknown>[]>(
    prepared: PreparedQueries<Q>,
  ): Promise<Answers<Q> | QmpError> {
    if (super.due(performance.now() / 1000)) {
      const outcome = await super.ask(prepared);
      if (!(outcome instanceof QmpError) || outcome.reason !== 'error') return outcome;
    }
    return this.shared.ask(prepared);
  }

  override close(): void {
    super.close();
    this.shared.close();
  }
}
