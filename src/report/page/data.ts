import { unpackPlanes } from '../shared/codes.ts';
import type { Planes } from '../shared/codes.ts';
import type { ReportData, ReportMetric } from '../shared/model.ts';

export const data = JSON.parse(document.getElementById('data')?.textContent ?? '{}') as ReportData;

const decoded = new Map<string, Promise<Planes>>();

/** Whether this browser can read the values. */
export const canRead = 'DecompressionStream' in globalThis;

export function metricOf(key: string): ReportMetric {
  const metric = data.metrics.find((each) => each.key === key);
  if (metric === undefined) throw new Error(`no metric ${key}`);
  return metric;
}

/** The values of a metric, of all its series; decoded when they are first asked for. */
export function planesOf(key: string): Promise<Planes> {
  let planes = decoded.get(key);
  if (planes === undefined) decoded.set(key, (planes = decode(key)));
  return planes;
}

async function decode(key: string): Promise<Planes> {
  const text = document.querySelector(`script[data-block="${CSS.escape(key)}"]`)?.textContent ?? '';
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  const inflated = new Uint8Array(await new Response(stream).arrayBuffer());
  const series = (key.startsWith('host.') ? data.hosts : data.guests).length;
  return unpackPlanes(inflated, series * data.buckets);
}

/** The times of the buckets, seconds since 1970, as plots want them: each at its end, as a sample tells of the time before it. */
export const times = Float64Array.from(
  { length: data.buckets },
  (_, bucket) => data.begin / 1000 + (bucket + 1) * data.seconds,
);

/** When a bucket begins, ms since 1970. */
export function beginOf(bucket: number): number {
  return data.begin + bucket * data.seconds * 1000;
}
