import { aligned, durationInWords } from '../../cli/words.ts';
import { levelUnit } from '../../config/thresholds.ts';
import { localTime } from '../../base/strings/local-time.ts';
import { brief } from '../../base/strings/printable.ts';
import { formatNumber } from '../../tui/values/format.ts';
import type { Answer } from './answer.ts';
import type { HostCoverage } from './coverage.ts';
import type { RankedTable } from './ranking.ts';

const mostGaps = 5;
/** Characters of a name that are shown. */
const nameWidth = 40;

/** The answer for people: what of the span was measured, then a table for each metric. */
export function answerText(answer: Answer): string {
  const isCluster = answer.coverage.hosts.length > 1;
  return [coverageText(answer), ...answer.tables.map((table) => tableText(table, isCluster))].join('\n');
}

/** What of the span was measured, and what is missing: of each host, where there are several. */
export function coverageText({ span, coverage, skipped }: Answer): string {
  const { first, last, hosts } = coverage;
  const begin = Number.isFinite(span.from) ? span.from : first;
  const end = Number.isFinite(span.to) ? Math.min(span.to, Math.max(last, Date.now())) : last;
  const lines = hosts.flatMap(([host, of]) =>
    hostLines(of, end - begin, hosts.length > 1 ? host : undefined),
  );
  if (skipped > 0) lines.push(`skipped ${skipped} torn or damaged record(s)`);
  return `${lines.join('\n')}\n`;
}

/** @param span ms @param host undefined where there is no other one */
function hostLines(of: HostCoverage, span: number, host: string | undefined): readonly string[] {
  const { first, last, seconds, samples, gaps, gapCount } = of;
  const whose = host === undefined ? '' : `${brief(host, nameWidth) || '(no name)'}: `;
  return [
    `${whose}${localTime(first)} to ${localTime(last)}: ${durationInWords(Math.round(seconds) * 1000)} measured of ${durationInWords(span)}, in ${samples} samples`,
    ...gaps.slice(0, mostGaps).map(({ before, text }) => `${whose}before ${localTime(before)}: ${text}`),
    ...(gapCount > mostGaps ? [`${whose}and ${gapCount - mostGaps} more gaps`] : []),
  ];
}

/** @param isCluster whether guests may have run on several hosts */
function tableText({ measure, rows, others, zeros }: RankedTable, isCluster: boolean): string {
  const { metric, thresholds, lowIsBad } = measure;
  const { id, title, unit, scope } = metric;
  const levels = thresholds.get(id);
  const from = lowIsBad ? 'at most' : 'from';
  const judged =
    levels === undefined
      ? ''
      : `; red ${from} ${levels.bad}${Number.isNaN(levels.warn) ? '' : `, yellow ${from} ${levels.warn}`}${levelUnit(id) === unit ? '' : ` ${levelUnit(id)}`}`;
  const heading = `${title} (${id}, ${unit}${judged})`;
  const rest = [
    ...(others > zeros ? [`${others - zeros} more`] : []),
    ...(zeros > 0 ? [`${zeros} with 0 all the time`] : []),
  ].join(', ');
  if (rows.length === 0) return `${heading}\n  ${rest === '' ? 'not known of any guest' : rest}\n`;
  const devices = scope === 'vm' ? [] : [left('DEVICE', (row: Row) => row.subject.device ?? '')];
  const pids = rows.some(({ subject }) => subject.pid !== undefined)
    ? [left('PID', (row: Row) => row.subject.pid ?? '')]
    : [];
  const times =
    levels === undefined
      ? []
      : [
          right('RED', ({ figures }) => time(figures.badSeconds)),
          ...(Number.isNaN(levels.warn)
            ? []
            : [right('YELLOW', ({ figures }) => time(figures.warnSeconds - figures.badSeconds))]),
        ];
  const nodes = isCluster ? [left('NODE', ({ subject }: Row) => brief(subject.node, nameWidth))] : [];
  const cells = [
    ...nodes,
    left('VMID', ({ subject }) => subject.guest.vmid ?? '-'),
    left('NAME', ({ subject }) => subject.guest.name),
    ...pids,
    ...devices,
    right('MEAN', ({ figures }) => formatNumber(figures.mean, unit)),
    right(lowIsBad ? 'MIN' : 'MAX', ({ figures }) => formatNumber(figures.worst, unit)),
    left(lowIsBad ? 'MIN AT' : 'MAX AT', ({ figures }) => localTime(figures.worstTime)),
    ...times,
    right('KNOWN', ({ figures }) => time(figures.seconds)),
  ].map((column) => column(rows));
  const lines = aligned([...rows.keys(), rows.length].map((index) => cells.map((each) => each[index] ?? '')));
  return [heading, ...lines.map((line) => `  ${line}`), ...(rest === '' ? [] : [`  ${rest}`]), ''].join('\n');
}

type Row = RankedTable['rows'][number];
/** The heading, then a cell for each row. */
type Cells = (rows: readonly Row[]) => string[];

/** What a recording says may be a stranger's. */
function left(heading: string, cell: (row: Row) => string): Cells {
  return (rows) => [heading, ...rows.map((row) => brief(cell(row), nameWidth))];
}

function right(heading: string, cell: (row: Row) => string): Cells {
  return (rows) => {
    const cells = left(heading, cell)(rows);
    const width = Math.max(...cells.map(({ length }) => length));
    return cells.map((text) => text.padStart(width));
  };
}

function time(seconds: number): string {
  return seconds === 0 ? '-' : durationInWords(Math.round(seconds) * 1000);
}
