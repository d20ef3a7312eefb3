import type { Scope } from '../../../src/catalogue/define.ts';
import { metric, sampleOf } from './metrics.ts';

/** One curve, or one for each VM or device, of a panel: as each data source has it. */
export interface Query {
  readonly promql: string;
  readonly influxql: string;
  /** Names of the curves; Grafana's placeholders of Prometheus and of InfluxDB. */
  readonly legend: string;
  readonly alias: string;
}

/** Whose values a query is about, which decides its labels, its tags and what it is grouped by. */
export type About = 'host' | 'hostDevice' | 'vms' | 'vm' | 'vmDevice' | 'output';

/** What filters and groups a query. vms: all of the chosen hosts; vm: the chosen one. */
const abouts: Readonly<
  Record<About, { select: string; by: string; where: string; groupBy: string; legend: string; alias: string }>
> = {
  host: {
    select: 'instance=~"$instance"',
    by: 'instance',
    where: `"host" =~ /^$host$/`,
    groupBy: '"host"',
    legend: '{{instance}}',
    alias: '$tag_host',
  },
  hostDevice: {
    select: 'instance=~"$instance",type=~"|physical"',
    by: 'instance, device',
    where: `"host" =~ /^$host$/`,
    groupBy: '"host", "device"',
    legend: '{{instance}} {{device}}',
    alias: '$tag_host $tag_device',
  },
  vms: {
    select: 'instance=~"$instance"',
    by: 'uuid, name, pid',
    where: `"host" =~ /^$host$/`,
    groupBy: '"uuid", "name"',
    legend: '{{name}}',
    alias: '$tag_name',
  },
  vm: {
    select: 'instance=~"$instance",name=~"$vm"',
    by: 'uuid, name, pid',
    where: `"host" =~ /^$host$/ AND "name" =~ /^$vm$/`,
    groupBy: '"uuid", "name"',
    legend: '{{name}}',
    alias: '$tag_name',
  },
  vmDevice: {
    select: 'instance=~"$instance",name=~"$vm"',
    by: 'uuid, name, pid, device',
    where: `"host" =~ /^$host$/ AND "name" =~ /^$vm$/`,
    groupBy: '"uuid", "name", "device"',
    legend: '{{name}} {{device}}',
    alias: '$tag_name $tag_device',
  },
  output: {
    select: 'instance=~"$instance"',
    by: 'instance, output',
    where: `"host" =~ /^$host$/`,
    groupBy: '"host", "name"',
    legend: '{{instance}} {{output}}',
    alias: '$tag_host $tag_name',
  },
};

const RANGE = '[$__rate_interval]';

/** The rate of a counter, summed over labels that are not distinguished. */
export function rate(about: About, scope: Scope, id: string, labels = ''): string {
  const { select, by } = abouts[about];
  const more = labels === '' ? '' : `,${labels}`;
  return `sum by (${by}) (rate(${sampleOf(scope, id)}{${select}${more}}${RANGE}))`;
}

/** A level, summed over labels that are not distinguished. */
export function level(about: About, scope: Scope, id: string): string {
  const { select, by } = abouts[about];
  return `sum by (${by}) (${sampleOf(scope, id)}{${select}})`;
}

/** A metric as the stream has it, in InfluxQL. @param factor to the unit of the panel */
function influxql(about: About, scope: Scope, id: string, factor: number): string {
  const { where, groupBy } = abouts[about];
  metric(scope, id);
  const scaled = factor === 1 ? '' : ` * ${factor}`;
  return (
    `SELECT mean("${id}")${scaled} FROM "proxtop_${scope}" ` +
    `WHERE ${where} AND $timeFilter GROUP BY time($__interval), ${groupBy} fill(none)`
  );
}

/**
 * A query.
 *
 * @param what put before the names of the curves; '' where the panel shows one thing
 * @param promql in the unit of the panel
 * @param factor from the metric's unit to that of the panel, for InfluxDB
 */
export function query(
  about: About,
  what: string,
  promql: string,
  [scope, id]: readonly [Scope, string],
  factor = 1,
): Query {
  const { legend, alias } = abouts[about];
  const named = (text: string): string => (what === '' ? text : `${what}, ${text}`);
  return { promql, influxql: influxql(about, scope, id, factor), legend: named(legend), alias: named(alias) };
}

/** A panel of curves, but for its place. */
export interface Panel {
  readonly title: string;
  readonly description: string;
  /** In Grafana's words. */
  readonly unit: string;
  readonly stack?: boolean;
  /** Only the largest of the curves; undefined for all. */
  readonly top?: number;
  readonly queries: readonly Query[];
}

/** One heading of the dashboard, and its panels. */
export interface Section {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A share of time, which counters have in seconds a second, or a share of something. */
export function percentOf(promql: string): string {
  return `100 * ${promql}`;
}
