import { csvCell } from '../../formats/csv.ts';
import { visible } from '../../formats/json/json.ts';
import type { Answer } from './answer.ts';
import type { RankedRow, RankedTable } from './ranking.ts';

/** The answer as one JSON object, on one line. What is not known is left out; times are in UTC. */
export function answerJson({ coverage, skipped, tables }: Answer): string {
  const { first, last, seconds, samples, hosts } = coverage;
  const gaps = hosts.flatMap(([node, { gaps: own }]) => own.map((gap) => ({ node, ...gap })));
  const answer = {
    from: stamp(first),
    to: stamp(last),
    seconds: rounded(seconds),
    samples,
    nodes: hosts.map(([node, of]) => ({ node, seconds: rounded(of.seconds), samples: of.samples })),
    gap_count: hosts.reduce((sum, [, { gapCount }]) => sum + gapCount, 0),
    gaps: gaps.map(({ node, before, text }) => ({ node, before: stamp(before), text })),
    skipped_records: skipped,
    tables: tables.map((table) => {
      const { metric, lowIsBad, thresholds } = table.measure;
      const { warn, bad } = thresholds.get(metric.id) ?? {};
      return {
        metric: metric.id,
        title: metric.title,
        scope: metric.scope,
        unit: metric.unit,
        low_is_bad: lowIsBad,
        warn: rounded(warn),
        bad: rounded(bad),
        others: table.others,
        zeros: table.zeros,
        rows: table.rows.map((row) => fieldsOf(table, row)),
      };
    }),
  };
  return `${visible(JSON.stringify(answer))}\n`;
}

const csvColumns = [
  'metric',
  'unit',
  'rank',
  'guest_type',
  'vmid',
  'name',
  'UUID',
  'pid',
  'device',
  'mean',
  'worst',
  'worst_at',
  'seconds',
  'warn_seconds',
  'bad_seconds',
  'node',
] as const;

/** All tables as one of comma-separated values (RFC 4180); nothing between two commas means not known. */
export function answerCsv({ tables }: Answer): string {
  const lines = tables.flatMap((table) =>
    table.rows.map((row, index) => {
      const { id, unit } = table.measure.metric;
      const fields = { metric: id, unit, rank: index + 1, ...fieldsOf(table, row) };
      return csvColumns.map((name) => csvCell(String(fields[name] ?? ''))).join(',');
    }),
  );
  return [csvColumns.join(','), ...lines].map((line) => `${line}\r\n`).join('');
}

function fieldsOf({ measure: { metric, thresholds } }: RankedTable, { subject, figures }: RankedRow) {
  const { type, vmid, name, uuid } = subject.guest;
  const isJudged = thresholds.has(metric.id);
  return {
    guest_type: type,
    vmid,
    name,
    UUID: uuid === '' ? undefined : uuid,
    pid: subject.pid,
    device: subject.device,
    mean: rounded(figures.mean),
    worst: rounded(figures.worst),
    worst_at: stamp(figures.worstTime),
    seconds: rounded(figures.seconds),
    warn_seconds: isJudged ? rounded(figures.warnSeconds) : undefined,
    bad_seconds: isJudged ? rounded(figures.badSeconds) : undefined,
    node: subject.node,
  };
}

/** Seven significant digits; whole numbers stay as they are. */
function rounded(value: number | undefined): number | undefined {
  if (value === undefined || !Number.isFinite(value)) return undefined;
  return Number.isInteger(value) ? value : Number(value.toPrecision(7));
}

function stamp(time: number): string | undefined {
  return Number.isFinite(time) ? new Date(time).toISOString() : undefined;
}
