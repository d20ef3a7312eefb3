import type { GuestChoice } from './preferences.ts';
import type { Row } from '../catalogue/row.ts';
import type { Sample } from '../sampling/sample.ts';
import { isMerged } from '../cluster/merge.ts';
import type { MergedSample } from '../cluster/merge.ts';
import { badgeOf } from './values/badge.ts';
import type { Badge } from './values/badge.ts';
import { duration } from './values/format.ts';
import { fit, textWidth } from '../base/strings/glyphs.ts';
import type { Line, Span, Style } from './screen/spans.ts';
import { textOrBlank, valueOf } from './values/row-values.ts';

/** What the status line tells beside the sample. */
interface Status {
  /** Seconds between two samples as they are wanted; undefined where they come as they come. */
  readonly interval: number | undefined;
  /** Name of the view, or title of the page. */
  readonly view: string;
  /** Which guests are shown. */
  readonly guests: GuestChoice;
  /** VMs that the filter leaves; undefined where there is none. */
  readonly filter: { readonly text: string; readonly left: number } | undefined;
  readonly sort: string;
  /** Whether the largest number, or the last text, comes first. */
  readonly descending: boolean;
  readonly units: string;
  readonly unicode: boolean;
  /** Name of the node whose host is shown; undefined for all, or where there is one host. */
  readonly node?: string | undefined;
  /** Where a replay is, or that the view is paused, in fewer and fewer words; none otherwise. */
  readonly note: readonly string[];
}

interface Part {
  readonly text: string;
  readonly style?: Style;
  /** The parts with the largest numbers are left out where there is no room. */
  readonly rank: number;
  /** Whether it stands at the right edge: what changes in length at the left does not move it. */
  readonly right?: true;
}

const WIDEST_HOST = 24;
/** Share of the screen that the note gets before it is told in fewer words. */
const NOTE = 0.6;

/** The first line of the screen. */
export function statusLine(sample: Sample, status: Status, columns: number): Line {
  const { agent, guests } = sample;
  const host = isMerged(sample) ? nodesText(sample, status.node) : textOrBlank(sample.host.row, 'host_name');
  const missed = valueOf(agent.row, 'missed_ticks');
  const arrow = status.unicode ? (status.descending ? '▼' : '▲') : status.descending ? 'v' : '^';
  const parts: Part[] = [
    { text: fit(host, Math.min(WIDEST_HOST, textWidth(host))), style: 'title', rank: 1 },
    { text: status.view, style: 'strong', rank: 0 },
    ...notePart(status.note, columns),
    { text: countOf(guests, status.filter?.left), rank: 2 },
    ...statesOf(guests),
    ...(status.guests === 'all' ? [] : [{ text: only[status.guests], style: 'warn' as const, rank: 3 }]),
    ...(status.filter === undefined
      ? []
      : [{ text: `filter ${status.filter.text}`, style: 'warn' as const, rank: 3 }]),
    ...outputsPart(agent.outputs),
    ...(missed > 0 ? [{ text: `missed ${missed}`, style: 'warn' as const, rank: 6 }] : []),
    ...(status.units === 'auto' ? [] : [{ text: status.units, rank: 7 }]),
    ...(isMerged(sample) ? [] : uptimePart(sample.host.row)),
    { text: `sort ${status.sort}${arrow}`, rank: 4, right: true },
    { text: refresh(sample.interval, status.interval), rank: 6, right: true },
    { text: new Date(sample.time).toTimeString().slice(0, 8), rank: 5, right: true },
  ];
  return fitting(parts, columns);
}

function notePart(note: readonly string[], columns: number): Part[] {
  const text = note.find(({ length }) => length <= columns * NOTE) ?? note.at(-1);
  return text === undefined ? [] : [{ text, style: 'warn', rank: 0 }];
}

/** `3 nodes`, or which of them the panel is about. */
function nodesText({ nodes }: MergedSample, shown: string | undefined): string {
  const all = `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`;
  return shown === undefined ? all : `${shown} of ${all}`;
}

const only = { vms: 'only VMs', containers: 'only containers' } as const;

/** How many guests run. @param left those that the filter leaves; undefined where there is none */
function countOf(guests: Sample['guests'], left: number | undefined): string {
  let vms = 0;
  for (const { guest } of guests) if (guest.type === 'qemu') vms++;
  const containers = guests.length - vms;
  if (left !== undefined) return `${containers === 0 ? 'VMs' : 'guests'} ${left}/${guests.length}`;
  const ofVms = `${vms === 1 ? 'VM' : 'VMs'} ${vms}`;
  if (containers === 0) return ofVms;
  const ofContainers = `${containers === 1 ? 'container' : 'containers'} ${containers}`;
  return vms === 0 ? ofContainers : `${ofVms}  ${ofContainers}`;
}

/** How many guests are in a state that they have a badge for: the bad ones first, each kind in its colour. */
function statesOf(guests: Sample['guests']): Part[] {
  const badges = new Map<string, { readonly verdict: Badge['grade']; count: number }>();
  for (const { row } of guests) {
    const badge = badgeOf(row);
    if (badge === undefined) continue;
    const kind = badges.get(badge.text);
    if (kind === undefined) badges.set(badge.text, { verdict: badge.grade, count: 1 });
    else kind.count++;
  }
  // Nearly always. V8 compiles the rest for an empty list wrongly, again and again.
  if (badges.size === 0) return [];
  const counts = new Map<string, { readonly verdict: Badge['grade']; count: number }>();
  for (const [text, { verdict, count }] of badges) {
    const [word = ''] = text.toLowerCase().split(' ');
    counts.set(word, { verdict, count: count + (counts.get(word)?.count ?? 0) });
  }
  const parts = [...counts].map(([word, { verdict, count }]): Part => {
    return { text: `${count} ${word}`, style: verdict, rank: verdict === 'bad' ? 1 : 3 };
  });
  return parts.sort((one, other) => one.rank - other.rank);
}

function uptimePart(host: Row): Part[] {
  const uptime = valueOf(host, 'host_uptime');
  return Number.isNaN(uptime) ? [] : [{ text: `up ${duration(uptime)}`, rank: 7 }];
}

/** Actual and wanted seconds between two samples. */
function refresh(actual: number, wanted: number | undefined): string {
  const shown = (Number.isNaN(actual) ? '-' : actual.toFixed(actual < 10 ? 2 : 1)).padStart(4);
  return wanted === undefined ? `${shown}s` : `${shown}/${wanted}s`;
}

function outputsPart(outputs: readonly Row[]): Part[] {
  if (outputs.length === 0) return [];
  const troubled = outputs.filter((row) => textOrBlank(row, 'state') !== 'up');
  const [first] = troubled;
  if (first === undefined) return [{ text: `out ${outputs.length} up`, style: 'good', rank: 5 }];
  const more = troubled.length > 1 ? ` +${troubled.length - 1}` : '';
  return [
    {
      text: `out ${textOrBlank(first, 'name')} ${textOrBlank(first, 'state')}${more}`,
      style: 'bad',
      rank: 3,
    },
  ];
}

function fitting(parts: readonly Part[], columns: number): Line {
  let left = parts;
  const width = (some: readonly Part[]): number =>
    some.reduce((sum, { text }) => sum + textWidth(text) + 2, -2);
  while (left.length > 1 && width(left) > columns) {
    const last = Math.max(...left.map(({ rank }) => rank));
    left = left.filter(({ rank }) => rank !== last);
  }
  const sides = [
    left.filter(({ right }) => right !== true),
    left.filter(({ right }) => right === true),
  ] as const;
  const between = Math.max(2, columns - width(sides[0]) - width(sides[1]));
  return [...spansOf(sides[0]), { text: ' '.repeat(between) }, ...spansOf(sides[1])];
}

function spansOf(parts: readonly Part[]): Line {
  return parts.flatMap(({ text, style = 'normal' }, index): Span[] =>
    index === 0 ? [{ text, style }] : [{ text: '  ' }, { text, style }],
  );
}
