import { catalogue } from '../../catalogue/catalogue.ts';
import type { Metric } from '../../catalogue/catalogue.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { Scope } from '../../catalogue/entities.ts';
import { partsOf } from '../../catalogue/row-tree.ts';
import { nearest } from '../../config/nearest.ts';
import { quoted, Refusal } from '../../config/values.ts';

/** What guests suffer from, and who uses most: ready time, of containers pressure; latency; CPU; memory. */
export const usualMetrics = 'cpu_steal, psi_some_cpu_avg10, disk_lat_avg, cpu_total, psi_full_mem_avg10';

const deviceScopes: readonly Scope[] = partsOf('vm').map(({ scope }) => scope);
const numbers = catalogue.filter(
  ({ scope, kind }) => kind !== 'text' && (scope === 'vm' || deviceScopes.includes(scope)),
);
/** What other tools call them. */
const elsewhere: ReadonlyMap<string, string> = new Map([
  ['ready', 'cpu_steal'],
  ['cpu_ready', 'cpu_steal'],
  ['steal', 'cpu_steal'],
  ['latency', 'disk_lat_avg'],
]);
const names = numbers.flatMap(({ id, title }) => [id, title]);

/**
 * The metric of guests that an id or a heading means.
 *
 * @param devices whether that of devices is meant, where there is one of both
 */
export function rankedMetric(word: string, devices: boolean): Metric | Refusal {
  const lower = word.toLowerCase();
  const byId = numbers.filter(({ id }) => id.toLowerCase() === lower);
  const found = byId.length > 0 ? byId : numbers.filter(({ title }) => isHeading(title, lower));
  const ids = [...new Set(found.map(({ id }) => id))];
  if (ids.length > 1)
    return new Refusal(`${quoted(word)} is the heading of ${ids.join(' and ')}; give one of these ids`);
  const ofDevices = found.filter(({ scope }) => scope !== 'vm');
  const chosen = devices
    ? (ofDevices[0] ?? found[0])
    : (found.find(({ scope }) => scope === 'vm') ?? found[0]);
  return (
    chosen ?? new Refusal(`found ${quoted(word)}, expected a metric of guests or their devices${hint(lower)}`)
  );
}

/** Whether a word is a heading; a percent sign may be missing. */
function isHeading(title: string, word: string): boolean {
  const lower = title.toLowerCase();
  return lower === word || lower === `%${word}`;
}

/** What else the word is, or what was probably meant. */
function hint(word: string): string {
  const other = catalogue.find(({ id, title }) => id.toLowerCase() === word || isHeading(title, word));
  if (other !== undefined)
    return other.kind === 'text'
      ? `; ${other.id} is a text, and has no worst value`
      : `; ${other.id} is a metric of ${entityOf(other.scope).noun}`;
  const near = elsewhere.get(word) ?? nearest(word, names);
  if (near !== undefined) return `; did you mean ${quoted(near)}?`;
  return '; proxtop --list-metrics names them';
}
