import type { CollectorName } from '../../catalogue/catalogue.ts';
import type { Extent, Family, SeriesSource } from '../prometheus/families.ts';
import { families, peakFamilies, publishedFamilies } from '../prometheus/families.ts';
import { containerConventions, hostConventions } from './conventions.ts';
import type { Convention, Instrument } from './conventions.ts';

/** Where points of a metric come from. */
export interface PointSource extends SeriesSource {
  /** Which guests' rows it is about, where it is about some; other rows are neither. */
  readonly guests: 'vms' | 'containers' | 'all';
  /** What its points have in common beside the names of their rows. */
  readonly attributes: readonly (readonly [key: string, value: string])[];
  /** The attribute that names the device. */
  readonly device: string;
}

/** A metric as OTLP has it. */
export interface OtlpMetric {
  readonly name: string;
  readonly description: string;
  /** UCUM; '' where there is none. */
  readonly unit: string;
  readonly instrument: Instrument;
  readonly sources: readonly PointSource[];
}

/** The units of Prometheus in UCUM. */
const ucum: Readonly<Record<string, string>> = {
  '': '',
  seconds: 's',
  bytes: 'By',
  joules: 'J',
  ratio: '1',
  bytes_per_second: 'By/s',
  per_second: '1/s',
  watts: 'W',
  hertz: 'Hz',
  celsius: 'Cel',
  // Annotated only: `per minute` would be added to a name that says rpm.
  rpm: '{rpm}',
};

/**
 * The name of a family: that of Prometheus with dots behind `proxtop` and the group. The unit stays in it, as bytes and
 * seconds of reads would be one metric without, and translators to Prometheus do not add what is there; only what is per
 * second they would add to it.
 */
function nameOf({ name, unit }: Family): string {
  const short = unit.endsWith('per_second') ? name.slice(0, -'_per_second'.length) : name;
  return short.replace(/^(proxtop)_([a-z]+)_/, '$1.$2.');
}

/**
 * The metrics to send of what is published, in the order of the families.
 *
 * @param peaks whether the peaks of samples that stand for an interval are sent, too
 */
export function otlpMetrics(
  extent: Extent,
  collectors: readonly CollectorName[],
  peaks = false,
): readonly OtlpMetric[] {
  const byName = new Map<string, OtlpMetric>();
  const all = peaks ? [...families, ...peakFamilies] : families;
  for (const family of publishedFamilies(extent, collectors, all)) {
    for (const metric of metricsOf(family)) {
      const first = byName.get(metric.name);
      const sources = [...(first?.sources ?? []), ...metric.sources];
      byName.set(metric.name, { ...(first ?? metric), sources });
    }
  }
  return [...byName.values()];
}

/** What a family becomes: one metric, or one for VMs and one for containers. */
function metricsOf(family: Family): OtlpMetric[] {
  const host = hostConventions[family.name];
  if (host !== undefined) return [conventional(family, host, 'all')];
  const container = containerConventions[family.name];
  if (container === undefined) return [own(family, 'all')];
  return [own(family, 'vms'), conventional(family, container, 'containers')];
}

function own(family: Family, guests: PointSource['guests']): OtlpMetric {
  const { type, unit, help: description, sources } = family;
  if (type === 'info') throw new RangeError(`${family.name} is no metric`);
  const points = sources.map((source): PointSource => {
    const attributes = source.label === undefined ? [] : [source.label];
    return { ...source, guests, attributes, device: 'device' };
  });
  return { name: nameOf(family), description, unit: ucum[unit] ?? '', instrument: type, sources: points };
}

function conventional(
  { help: description, sources }: Family,
  { name, unit, instrument, attributes = {}, device = 'device', label }: Convention,
  guests: PointSource['guests'],
): OtlpMetric {
  const points = sources.map((source): PointSource => {
    const all = Object.entries(attributes);
    if (source.label !== undefined && label !== undefined)
      all.push([label[0], label[1][source.label[1]] ?? source.label[1]]);
    return { ...source, guests, attributes: all, device };
  });
  return { name, description, unit, instrument, sources: points };
}
