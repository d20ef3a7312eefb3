import type { GuestChoice } from './preferences.ts';
import type { Row } from '../catalogue/row.ts';
import type { Sample } from '../sampling/sample.ts';
import { fit, textWidth } from './screen/glyphs.ts';
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
  /** Where a replay is, or that the view is paused; '' otherwise. */
  readonly note: string;
}

interface Part {
  readonly text: string;
  readonly style?: Style;
  /** The parts with the largest numbers are left out where there is no room. */
  readonly rank: number;
}

const WIDEST_HOST = 24;

/** The first line of the screen. */
export function statusLine(sample: Sample, status: Status, columns: number): Line {
  const { agent, guests } = sample;
  const host = textOrBlank(sample.host.row, 'host_name');
  const missed = valueOf(agent.row, 'missed_ticks');
  const arrow = status.unicode ? (status.descending ? '▼' : '▲') : status.descending ? 'v' : '^';
  const parts: Part[] = [
    { text: fit(host, Math.min(WIDEST_HOST, textWidth(host))), style: 'title', rank: 1 },
    { text: status.view, style: 'strong', rank: 0 },
    ...(status.note === '' ? [] : [{ text: status.note, style: 'warn' as const, rank: 1 }]),
    { text: countOf(guests, status.filter?.left), rank: 2 },
    ...(status.guests === 'all' ? [] : [{ text: only[status.guests], style: 'warn' as const, rank: 3 }]),
    { text: `sort ${status.sort}${arrow}`, rank: 4 },
    ...(status.filter === undefined
      ? []
      : [{ text: `filter ${status.filter.text}`, style: 'warn' as const, rank: 3 }]),
    { text: refresh(sample.interval, status.interval), rank: 5 },
    ...outputsPart(agent.outputs),
    ...(missed > 0 ? [{ text: `missed ${missed}`, style: 'warn' as const, rank: 6 }] : []),
    ...(status.units === 'auto' ? [] : [{ text: status.units, rank: 7 }]),
    { text: new Date(sample.time).toTimeString().slice(0, 8), rank: 4 },
  ];
  return fitting(parts, columns);
}

const only = { vms: 'only VMs', containers: 'only containers' } as const;

/** How many guests run. @param left those that the filter leaves; undefined where there is none */
function countOf(guests: Sample['guests'], left: number | undefined): string {
  const vms = guests.filter(({ guest }) => guest.type === 'qemu').length;
  const containers = guests.length - vms;
  if (left !== undefined) return `${containers === 0 ? 'VMs' : 'guests'} ${left}/${guests.length}`;
  const ofVms = `${vms === 1 ? 'VM' : 'VMs'} ${vms}`;
  if (containers === 0) return ofVms;
  const ofContainers = `${containers === 1 ? 'container' : 'containers'} ${containers}`;
  return vms === 0 ? ofContainers : `${ofVms}  ${ofContainers}`;
}

/** Actual and wanted seconds between two samples. */
function refresh(actual: number, wanted: number | undefined): string {
  const shown = Number.isNaN(actual) ? '-' : actual.toFixed(actual < 10 ? 2 : 1);
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
  const width = (): number => left.reduce((sum, { text }) => sum + textWidth(text) + 2, -2);
  while (left.length > 1 && width() > columns) {
    const last = Math.max(...left.map(({ rank }) => rank));
    left = left.filter(({ rank }) => rank !== last);
  }
  return left.flatMap(({ text, style = 'normal' }, index): Span[] =>
    index === 0 ? [{ text, style }] : [{ text: '  ' }, { text, style }],
  );
}
