import type { Metric } from '../../catalogue/catalogue.ts';
import { slots } from '../../catalogue/catalogue.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { Sample, GuestRows } from '../../sampling/sample.ts';

/**
 * When what a row tells began at 0, ms since 1970; undefined where that is not known. `sums` are counts that we add up since we
 * first saw what they are about; `readings` are those of the kernel and of QEMU, since the process or the host started.
 */
export interface StartTimes {
  readonly sums: number | undefined;
  readonly readings: number | undefined;
}

/** What the start of a counter is; undefined where nobody knows: the tap of a VM may be older than its process. */
export function startKind({ scope, counter }: Metric, isContainer: boolean): keyof StartTimes | undefined {
  if (counter === undefined || (scope === 'vm_nic' && !isContainer)) return undefined;
  const { counted } = counter;
  const of = typeof counted === 'string' ? counted : counted[isContainer ? 'container' : 'vm'];
  if (of === 'parts') return entityOf(scope).parent === undefined ? 'sums' : 'readings';
  return of === 'added' ? 'sums' : 'readings';
}

const { host_uptime: UPTIME } = slots('host', 'host');

/** Remembers when the host started, as a start time is the same in each sample while the uptime is rounded. */
export class HostStart {
  private boot: number | undefined;

  /** The start times of the host's rows. */
  of({ time, host: { row }, began }: Sample): StartTimes {
    const uptime = row.values[UPTIME] ?? NaN;
    if (!Number.isNaN(uptime)) this.boot ??= Math.round(time - uptime * 1000);
    return { sums: began?.run, readings: began === undefined ? undefined : this.boot };
  }
}

/** The start times of a guest's rows. */
export function guestStart({ began }: GuestRows): StartTimes {
  return { sums: began?.seen, readings: began?.process };
}

/** Those of proxtop's own. */
export function agentStart({ began }: Sample): StartTimes {
  return { sums: began?.program, readings: undefined };
}
