import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { Sample } from '../../sampling/sample.ts';
import { parseCpuList } from '../../kernel/sys/cpu-list.ts';
import { styleOf } from '../analysis/judge.ts';
import type { Judge } from '../analysis/judge.ts';
import type { Span, Style } from '../screen/spans.ts';
import { bar } from '../values/bar.ts';
import { formatNumber, numberWidth } from '../values/format.ts';
import type { UnitMode } from '../values/format.ts';
import { metricOf, textOrBlank } from '../values/row-values.ts';
import { sparkline } from '../values/sparkline.ts';

/** What a panel is drawn for. */
export interface PanelLook {
  readonly columns: number;
  readonly units: UnitMode;
  readonly judge: Judge;
  readonly unicode: boolean;
}

/** What is shown of the host, as wide whatever the value is, so that nothing moves from one frame to the next. */
export interface Slot {
  readonly spans: readonly Span[];
  readonly width: number;
  readonly isKnown: boolean;
}

type MakeSlot = (sample: Pick<Sample, 'host' | 'guests'>, look: PanelLook) => Slot;

const cpu = slots('cpu', 'host');
const mem = slots('mem', 'host');
const vmCpu = slots('cpu', 'vm');
const eachCpu = slots('cpu', 'host_cpu');
const cpuNames = slots('identity', 'host_cpu');
const numa = slots('mem', 'host_numa');

/** Columns of bars by those of the screen. */
const bars = [
  [160, 20],
  [110, 10],
] as const;
/** Columns of the bar of one CPU. */
const NARROWEST_BAR = 4;
const WIDEST_BAR = 10;
/** CPUs whose bars stand together where each has one column. */
const TOGETHER = 8;
/** A CPU is full from here on, percent: one alone does not show in the mean. */
const FULL = 95;

const states: Readonly<Record<string, Style>> = { ok: 'good', tight: 'warn', swapping: 'bad' };

/** Slots that are no plain metric, by their names in panel-groups.ts. */
export const slotMakers: Readonly<Record<string, MakeSlot>> = {
  busy: ({ host }, look) => {
    const { values } = host.row;
    const idle =
      (values[cpu.cpu_idle] ?? NaN) + (values[cpu.cpu_iowait] ?? NaN) + (values[cpu.cpu_steal] ?? NaN);
    return shareSlot('%BUSY', 100 - idle, 'normal', look);
  },
  vcpus: ({ host, guests }) => {
    const vms = guests.filter(({ guest }) => guest.type === 'qemu');
    const vcpus = vms.reduce((sum, { row }) => sum + (row.values[vmCpu.cpu_cores] || 0), 0);
    const cpus = host.row.values[cpu.cpu_cores] ?? NaN;
    const text = `${vcpus} on ${cpus}`.padEnd(9) + ` ${(vcpus / cpus).toFixed(1)}x`;
    return plainSlot('VCPUS', Number.isNaN(cpus) ? '-' : text, 15, 'normal', !Number.isNaN(cpus));
  },
  load: ({ host: { row } }, { judge }) => {
    const load = row.values[cpu.cpu_load1] ?? NaN;
    const each = load / (row.values[cpu.cpu_cores] ?? NaN);
    const style = styleOf(judge('cpu_load1', load, row));
    return plainSlot('LOAD/CPU', formatNumber(each, 'count'), 6, style, !Number.isNaN(each));
  },
  memory: ({ host: { row } }, look) => {
    const { values } = row;
    const left = values[mem.ram_obtainable] || values[mem.ram_available] || NaN;
    const used = 100 - (left / (values[mem.ram_total] ?? NaN)) * 100;
    const style = styleOf(look.judge('ram_available', values[mem.ram_available] ?? NaN, row));
    return shareSlot('%USED', used, style, look);
  },
  ram_state: ({ host }) => {
    const state = textOrBlank(host.row, 'ram_state');
    return {
      spans: [{ text: state.padEnd(10), style: states[state] ?? 'normal' }],
      width: 10,
      isKnown: state !== '',
    };
  },
  cpus: ({ host: { cpus } }, look) => {
    const busy = cpus.map(({ values }) => values[eachCpu.cpu_busy] ?? NaN);
    const spans = cpuBars(cpus, busy, look);
    return { spans, width: look.columns, isKnown: busy.some((value) => !Number.isNaN(value)) };
  },
  numa: ({ host }, look) => ({
    spans: nodeBars(host, look),
    width: look.columns,
    isKnown: host.numa.length > 0,
  }),
};

/** The slot of a metric of the host. */
export function metricSlot(id: string, row: Row, { units, judge }: PanelLook): Slot | undefined {
  const metric = metricOf('host', id);
  if (metric === undefined) return undefined;
  const value = row.values[metric.slot] ?? NaN;
  const text = formatNumber(value, metric.unit, units);
  const style = styleOf(judge(id, value, row));
  return plainSlot(metric.title, text, numberWidth(metric.unit, units), style, !Number.isNaN(value));
}

function plainSlot(title: string, text: string, width: number, style: Style, isKnown: boolean): Slot {
  const spans = [
    { text: `${title} `, style: 'dim' },
    { text: text.padEnd(width), style },
    { text: '  ' },
  ] as const;
  return { spans, width: title.length + width + 3, isKnown };
}

/** A share with a bar before it where the screen is wide enough. */
function shareSlot(title: string, percent: number, style: Style, { columns, unicode }: PanelLook): Slot {
  const width = bars.find(([from]) => columns >= from)?.[1] ?? 0;
  const slot = plainSlot(title, formatNumber(percent, 'percent'), 5, style, !Number.isNaN(percent));
  if (width === 0) return slot;
  const drawn: Span = {
    text: `${bar(percent, width, unicode)} `,
    style: style === 'normal' ? 'good' : style,
  };
  return { ...slot, spans: [drawn, ...slot.spans], width: slot.width + width + 1 };
}

/** A bar for each CPU with its number, or one column for each, or for the fullest of several, where there are many. */
function cpuBars(
  cpus: readonly Row[],
  busy: readonly number[],
  { columns, unicode }: PanelLook,
): readonly Span[] {
  const room = columns - 5;
  const digits = String(cpus.length - 1).length;
  const width = Math.min(WIDEST_BAR, Math.floor(room / cpus.length) - digits - 3);
  if (width >= NARROWEST_BAR)
    return busy.flatMap((percent, index): Span[] => [
      { text: `${textOrBlank(cpus[index] as Row, 'device').padStart(digits)} `, style: 'dim' },
      { text: bar(percent, width, unicode), style: styleOfCpu(percent) },
      { text: '  ' },
    ]);
  // Each group takes its columns, its label such as 120-127, and three blanks.
  const each = Math.max(1, Math.ceil((cpus.length * (TOGETHER + 2 * digits + 4)) / TOGETHER / room));
  const steps = Array.from({ length: Math.ceil(cpus.length / each) }, (_, index) =>
    Math.max(...busy.slice(index * each, (index + 1) * each)),
  );
  const spans: Span[] = [];
  for (let at = 0; at < steps.length; at += TOGETHER) {
    const last = Math.min(cpus.length, (at + TOGETHER) * each) - 1;
    spans.push({ text: `${at * each}-${last} `, style: 'dim' });
    for (const step of steps.slice(at, at + TOGETHER))
      spans.push({ text: sparkline([step], 100, unicode), style: styleOfCpu(step) });
    spans.push({ text: '  ' });
  }
  return spans;
}

/** Of each NUMA node how busy its CPUs are, and how much of its memory is in use: bars, or a column for each, of as many as fit. */
function nodeBars({ numa: nodes, cpus }: Sample['host'], { columns, unicode }: PanelLook): readonly Span[] {
  const busy = new Map(
    cpus.map(({ texts, values }) => [texts[cpuNames.device], values[eachCpu.cpu_busy] ?? NaN]),
  );
  const digits = String(nodes.length - 1).length;
  const width = Math.min(WIDEST_BAR, Math.floor(((columns - 5) / nodes.length - digits - 12) / 2));
  const drawn = (percent: number): string =>
    width >= NARROWEST_BAR ? bar(percent, width, unicode) : sparkline([percent], 100, unicode);
  const name = (text: string): Span => ({ text: width >= NARROWEST_BAR ? `${text} ` : '', style: 'dim' });
  // Narrow ones take their number, a column for each of both, and four blanks.
  const shown = width >= NARROWEST_BAR ? nodes.length : Math.floor((columns - 5) / (digits + 6));
  return nodes.slice(0, shown).flatMap((node): Span[] => {
    const cpu = meanOf(node, busy);
    const total = node.values[numa.numa_total] ?? NaN;
    const used = 100 - ((node.values[numa.numa_available] ?? NaN) / total) * 100;
    return [
      { text: `${textOrBlank(node, 'device').padStart(digits)} `, style: 'dim' },
      name('CPU'),
      { text: drawn(cpu), style: styleOfCpu(cpu) },
      { text: ' ' },
      name('MEM'),
      { text: drawn(used), style: used >= FULL ? 'warn' : 'good' },
      { text: '  ' },
    ];
  });
}

/** How busy the CPUs of a node are; NaN where one of them is not known, and where it has none. */
function meanOf(node: Row, busy: ReadonlyMap<string | undefined, number>): number {
  const cpus = [...parseCpuList(node.texts[numa.numa_cpus] ?? '')];
  return cpus.reduce((sum, cpu) => sum + (busy.get(String(cpu)) ?? NaN), 0) / cpus.length;
}

function styleOfCpu(percent: number): Style {
  return percent >= FULL ? 'warn' : 'good';
}
