import { onHost } from '../collect.ts';
import type { Collected, ReportedHost } from '../collect.ts';
import { markup, name } from './markup.ts';
import type { Markup } from './markup.ts';
import type { PlannedMetric } from '../plan.ts';
import type { Series, Summary } from '../series.ts';
import type { Zone } from '../shared/model.ts';
import { duration, momentText, quantity } from '../shared/words.ts';

/** Columns of the table of guests, as far as any guest has them. */
const guestColumns = ['cpu_total', 'cpu_steal', 'disk_lat_avg', 'ram_used', 'net_rx_mbit', 'net_tx_mbit'];

/** What each metric of each host came to. */
export function hostTables(collected: Collected, zone: Zone): readonly Markup[] {
  return collected.hosts.map((host) => hostTable(collected, host, zone));
}

function hostTable({ hostPlan, hosts, buckets }: Collected, host: ReportedHost, zone: Zone): Markup {
  const rows = hostPlan.flatMap((metric, index) => {
    if (!host.series.has(index)) return [];
    const summary = host.series.summary(index);
    return [
      markup`<tr><th scope="row" title="${metric.meaning}">${panelOf(metric)}</th>
<td class="n">${quantity(summary.mean, metric.unit)}</td><td class="n${gradeOf(summary.max, metric)}">${quantity(summary.max, metric.unit)}</td>
<td>${momentText(zone, buckets.begin + summary.at * buckets.seconds * 1000)}</td></tr>
`,
    ];
  });
  return markup`<div class="wide"><table><caption>${hosts.length > 1 ? name(host.name) : 'The host'} in this time</caption>
<thead><tr><th>Metric</th><th class="n">Mean</th><th class="n">Largest</th><th>When</th></tr></thead>
<tbody>
${rows}</tbody></table></div>`;
}

function panelOf({ title, id }: PlannedMetric): string {
  const groups: Readonly<Record<string, string>> = {
    cpu: 'CPU',
    psi: 'pressure',
    ram: 'memory',
    disk: 'disks',
    net: 'network',
  };
  return `${groups[id.split('_')[0] ?? ''] ?? ''}: ${title}`;
}

/** What the metrics of each guest came to: mean, largest value and how long it was too large. */
export function guestTable(collected: Collected): Markup {
  const { guestPlan, guests } = collected;
  const shown = guestColumns.flatMap((id) => {
    const index = guestPlan.findIndex((metric) => metric.id === id);
    const metric = guestPlan[index];
    return metric !== undefined && guests.some(({ series }) => series.has(index)) ? [{ metric, index }] : [];
  });
  const headings = shown.map(({ metric }) => {
    const level = levelOf(metric);
    const columns = level === undefined ? 2 : 3;
    return markup`<th colspan="${columns}" scope="colgroup">${metric.title}</th>`;
  });
  const subheadings = shown.map(({ metric }) => {
    const level = levelOf(metric);
    const above =
      level === undefined ? [] : [markup`<th class="n">≥ ${quantity(level, metric.unit)} for</th>`];
    return markup`<th class="n">mean</th><th class="n">max</th>${above}`;
  });
  const rows = guests.map(
    ({ label, host, series }, index) =>
      markup`<tr id="g${index}"><th scope="row"><a href="#g${index}" data-guest="${index}">${name(onHost(collected, host, label))}</a></th>${shown.map((each) => cells(series, each.index, each.metric))}</tr>
`,
  );
  return markup`<div class="wide tall"><table class="guests"><caption>Guests, the one that suffered most first</caption>
<thead><tr><th rowspan="2">Guest</th>${headings}</tr><tr>${subheadings}</tr></thead>
<tbody>
${rows}</tbody></table></div>`;
}

function cells(series: Series, index: number, metric: PlannedMetric): Markup {
  const summary: Summary = series.summary(index);
  const { mean, max, above } = summary;
  const level = levelOf(metric);
  const time = level === undefined ? [] : [markup`<td class="n">${above > 0 ? duration(above) : ''}</td>`];
  return markup`<td class="n${gradeOf(mean, metric)}">${quantity(mean, metric.unit)}</td><td class="n${gradeOf(max, metric)}">${quantity(max, metric.unit)}</td>${time}`;
}

function levelOf({ warn, bad }: PlannedMetric): number | undefined {
  return warn ?? bad;
}

/** The class of a value that is too large. */
function gradeOf(value: number, { warn, bad }: PlannedMetric): string {
  if (bad !== undefined && value >= bad) return ' bad';
  return warn !== undefined && value >= warn ? ' warn' : '';
}
