import { sections, vmTable } from './dashboard.ts';
import type { TableColumn } from './dashboard.ts';
import { metric } from './metrics.ts';
import type { Panel, Query } from './panels.ts';

/** The data sources there is a dashboard for, in Grafana's words. */
const kinds = ['prometheus', 'influxdb'] as const;
type Kind = (typeof kinds)[number];

const WIDTH = 24;
const HEIGHT = 8;

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}
type Json = Readonly<Record<string, unknown>>;

/** The dashboards, by the paths of their files from the root of the project. */
export function dashboards(): readonly (readonly [path: string, content: string])[] {
  return kinds.map((kind) => [
    `docs/integrations/grafana/proxtop-${kind}.json`,
    `${JSON.stringify(dashboard(kind), null, 2)}\n`,
  ]);
}

function dashboard(kind: Kind): Json {
  const source = { type: kind, uid: '${datasource}' };
  const panels: Json[] = [];
  let y = 0;
  const add = (panel: Json, place: Place): void => {
    panels.push({ id: panels.length + 1, gridPos: place, ...panel });
  };
  const heading = (title: string): void => {
    add({ type: 'row', title, collapsed: false, panels: [] }, { x: 0, y, w: WIDTH, h: 1 });
    y += 1;
  };
  for (const [index, { title, panels: own }] of sections.entries()) {
    heading(title);
    for (const [place, panel] of own.entries())
      add(
        { ...curves(panel, kind), datasource: source },
        { x: (place % 2) * (WIDTH / 2), y: y + Math.floor(place / 2) * HEIGHT, w: WIDTH / 2, h: HEIGHT },
      );
    y += Math.ceil(own.length / 2) * HEIGHT;
    if (index > 0) continue;
    heading('VMs');
    add({ ...tableOfVms(kind), datasource: source }, { x: 0, y, w: WIDTH, h: HEIGHT + 2 });
    y += HEIGHT + 2;
  }
  return {
    title: `proxtop (${kind === 'prometheus' ? 'Prometheus' : 'InfluxDB'})`,
    uid: `proxtop-${kind}`,
    tags: ['proxtop', 'virtualization'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-30m', to: 'now' },
    timezone: 'browser',
    templating: { list: variables(kind) },
    panels,
  };
}

/** What is chosen at the top: the data source, the hosts, the VM in depth. */
function variables(kind: Kind): readonly Json[] {
  const source = { type: 'datasource', name: 'datasource', label: 'Data source', query: kind };
  const ofSource = { type: 'query', datasource: { type: kind, uid: '${datasource}' }, refresh: 2, sort: 1 };
  const several = { includeAll: true, multi: true, current: { text: 'All', value: '$__all' } };
  if (kind === 'prometheus') {
    return [
      source,
      {
        ...ofSource,
        ...several,
        name: 'instance',
        label: 'Host',
        query: 'label_values(proxtop_host_vms, instance)',
      },
      {
        ...ofSource,
        name: 'vm',
        label: 'VM',
        query: 'label_values(proxtop_vm_info{instance=~"$instance"}, name)',
      },
    ];
  }
  return [
    source,
    {
      ...ofSource,
      ...several,
      name: 'host',
      label: 'Host',
      query: 'SHOW TAG VALUES FROM "proxtop_host" WITH KEY = "host"',
    },
    {
      ...ofSource,
      name: 'vm',
      label: 'VM',
      query: 'SHOW TAG VALUES FROM "proxtop_vm" WITH KEY = "name" WHERE "host" =~ /^$host$/',
    },
  ];
}

function curves({ title, description, unit, top, queries }: Panel, kind: Kind): Json {
  return {
    type: 'timeseries',
    title,
    description,
    fieldConfig: {
      defaults: { unit, min: 0, custom: { fillOpacity: 10, spanNulls: 60_000 } },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'table', placement: 'right', calcs: ['mean', 'max'] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: queries.map((query, index) => target(query, String.fromCharCode(65 + index), kind, top)),
  };
}

function target({ promql, influxql, legend, alias }: Query, refId: string, kind: Kind, top?: number): Json {
  if (kind === 'prometheus')
    return { refId, expr: top === undefined ? promql : `topk(${top}, ${promql})`, legendFormat: legend };
  return { refId, query: influxql, rawQuery: true, alias, resultFormat: 'time_series' };
}

/** A table with a line for each VM, merged from a query for each column (Prometheus) or read by one (InfluxDB). */
function tableOfVms(kind: Kind): Json {
  const overrides = vmTable.map(({ title, unit, thresholds }) => ({
    matcher: { id: 'byName', options: title },
    properties: [{ id: 'unit', value: unit }, ...(thresholds === undefined ? [] : colours(thresholds))],
  }));
  const hidden = { Time: true, uuid: true };
  const names = Object.fromEntries(
    vmTable.map(({ title }, index) => [`Value #${String.fromCharCode(65 + index)}`, title]),
  );
  return {
    type: 'table',
    title: 'VMs',
    description: 'Waits above 5 % a vCPU, and latencies above 10 ms, are worth a look.',
    fieldConfig: { defaults: {}, overrides },
    options: { sortBy: [{ displayName: 'CPU waited for', desc: true }] },
    transformations:
      kind === 'prometheus'
        ? [
            { id: 'merge', options: {} },
            { id: 'organize', options: { excludeByName: hidden, renameByName: names } },
          ]
        : [{ id: 'organize', options: { excludeByName: hidden } }],
    targets:
      kind === 'prometheus'
        ? vmTable.map(({ promql }, index) => ({
            refId: String.fromCharCode(65 + index),
            expr: promql,
            format: 'table',
            instant: true,
          }))
        : [{ refId: 'A', query: tableQuery(vmTable), rawQuery: true, resultFormat: 'table' }],
  };
}

function colours([yellow, red]: readonly [number, number]): readonly Json[] {
  const steps = [
    { color: 'green', value: null },
    { color: 'yellow', value: yellow },
    { color: 'red', value: red },
  ];
  return [
    { id: 'thresholds', value: { mode: 'absolute', steps } },
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
  ];
}

function tableQuery(columns: readonly TableColumn[]): string {
  const fields = columns.map(({ title, field, factor }) => {
    metric('vm', field);
    return `mean("${field}")${factor === 1 ? '' : ` * ${factor}`} AS "${title}"`;
  });
  return `SELECT ${fields.join(', ')} FROM "proxtop_vm" WHERE "host" =~ /^$host$/ AND $timeFilter GROUP BY "uuid", "name"`;
}
