import type { Metric } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { GuestRows, Sample } from '../../sampling/sample.ts';
import { duration } from '../../verdicts/wording.ts';
import { textOf, valueOf } from '../values/row-values.ts';

/** Metrics from monitors: those whose source names one. */
const byMonitor = /QMP|query-|balloon/;

/**
 * Why a value is not known, as far as the sample shows.
 *
 * @param row the one that lacks it
 * @param guest whose row it is; undefined for one of the host
 */
export function absence(
  metric: Metric,
  row: Row,
  guest: GuestRows | undefined,
  sample: Pick<Sample, 'collectors' | 'seq'>,
): string {
  const { collector, source, operations, needs, container, counter, id } = metric;
  if (collector !== '-' && !sample.collectors.includes(collector))
    return `the collector ${collector} does not run`;
  const isContainer = guest !== undefined && guest.guest.type !== 'qemu';
  if (isContainer && container.startsWith('not ')) return 'a container has none';
  const answer = guest && textOf(guest.row, 'qmp');
  if (answer !== undefined && byMonitor.test(source)) {
    const age = guest === undefined ? NaN : valueOf(guest.row, 'qmp_age');
    const since = Number.isNaN(age) ? '' : ` for ${duration(age)}`;
    return answer === 'held'
      ? `another client holds the monitor${since}`
      : `the monitor has given no answer${since} (${answer})`;
  }
  const rates = operations.map((rate) => valueOf(row, rate)).filter((rate) => !Number.isNaN(rate));
  if (rates.length > 0 && rates.every((rate) => rate === 0)) return 'there was no operation in this interval';
  if (id.endsWith('_percent') && valueOf(row, id.replace('drop_percent', 'packets')) === 0)
    return 'there was no packet in this interval';
  if (counter !== undefined && sample.seq <= 1) return 'it needs a second sample';
  if (needs !== '') return `it needs ${needs}, which is not there or may not be read`;
  return 'nothing that is measured here tells it, or it may not be read';
}
