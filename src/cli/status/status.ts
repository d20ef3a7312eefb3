import { dropReasons } from '../../sampling/output-status.ts';
import type { ExitCode } from '../exit-codes.ts';
import { exitCodes } from '../exit-codes.ts';
import type { LeftSpool, OutputReport, StatusReport } from './report.ts';
import type { HistoryReport } from '../../history/writer.ts';
import { reportPeriod } from './report.ts';
import { readReports } from './read-reports.ts';
import { aligned, durationInWords, size } from '../words.ts';

/** A report older than this (ms) is of a process that hangs. */
const lateness = 3 * reportPeriod;
/** An output that gave up records less than this (ms) ago is not healthy. */
const memory = 60_000;

/** The answer of `proxtop status`. */
interface StatusAnswer {
  readonly text: string;
  readonly exitCode: ExitCode;
}

/** Prints the status of every running proxtop, from its report in this directory. */
export function describeStatus(directory: string, now = Date.now()): StatusAnswer {
  const { reports, trouble } = readReports(directory);
  if (reports.length === 0) {
    const text = `no proxtop is running: ${trouble ?? `no status report in ${directory}`}\n`;
    return { text, exitCode: exitCodes.failure };
  }
  const healthy = reports.every((report) => troublesOf(report, now).length === 0);
  return {
    text: reports.map((report) => describeReport(report, now)).join('\n'),
    exitCode: healthy ? exitCodes.done : exitCodes.degraded,
  };
}

/** What is not as it should be, in words. */
function troublesOf({ updated, outputs, history }: StatusReport, now: number): string[] {
  const late = now - updated > lateness ? [`it hangs: no report for ${durationInWords(now - updated)}`] : [];
  const outputTroubles = outputs.flatMap(({ name, state, lastDrop }) => [
    ...(state === 'up' ? [] : [`${name} is ${state}`]),
    ...(lastDrop !== undefined && now - lastDrop < memory ? [`${name} gives up records`] : []),
  ]);
  const ofHistory = history?.trouble === undefined ? [] : [`the history is not written: ${history.trouble}`];
  return [...late, ...outputTroubles, ...ofHistory];
}

const headings = [
  'OUTPUT',
  'STATE',
  'QUEUED',
  'SPOOLED',
  'OLDEST',
  'UNCONFIRMED',
  'SENT',
  'RESENT',
  'DROPPED',
  'RECONNECTS',
];

function describeReport(report: StatusReport, now: number): string {
  const { program, version, pid, started, config, outputs, left = [], history } = report;
  const troubles = troublesOf(report, now);
  const health = troubles.length === 0 ? 'healthy' : `degraded: ${troubles.join(', ')}`;
  const source = config === undefined ? '' : `, ${config}`;
  const rows = [headings, ...outputs.map((output) => cells(output, now))];
  return [
    `${program} ${version}, process ${pid}, up ${durationInWords(now - started)}${source}: ${health}`,
    ...(outputs.length === 0 && history !== undefined ? [] : aligned(rows).map((line) => `  ${line}`)),
    ...outputs.flatMap(remarks),
    ...left.map(describeLeft),
    ...(history === undefined ? [] : [describeHistory(history)]),
    '',
  ].join('\n');
}

function cells(output: OutputReport, now: number): string[] {
  const { name, state, queued, queuedBytes, spooled, spooledBytes, oldest } = output;
  const { unconfirmed, sent, resent, dropped, reconnects } = output;
  return [
    name,
    state,
    `${queued} (${size(queuedBytes)})`,
    `${spooled} (${size(spooledBytes)})`,
    oldest === undefined ? '-' : durationInWords(now - oldest),
    ...[unconfirmed, sent, resent, dropped, reconnects].map(String),
  ];
}

function remarks({ name, droppedBy, lastError }: OutputReport): string[] {
  const reasons = dropReasons.filter((reason) => droppedBy[reason] > 0);
  const counts = reasons.map((reason) => `${droppedBy[reason]} ${reason}`);
  return [
    ...(counts.length === 0 ? [] : [`  ${name} dropped: ${counts.join(', ')}`]),
    ...(lastError === undefined ? [] : [`  ${name} last error: ${lastError}`]),
  ];
}

function describeLeft({ directory, output, format, records, bytes }: LeftSpool): string {
  return `  ${records} records (${size(bytes)}) of output ${output} in format ${format} in ${directory} are delivered by no output: see proxtop spool`;
}

function describeHistory({ directory, begin, end, bytes, lost }: HistoryReport): string {
  const minute = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ');
  const span =
    begin === undefined
      ? 'nothing yet'
      : `from ${minute(begin)} ${end === undefined ? 'on' : `to ${minute(end)}`} UTC`;
  return `  history: ${span}, ${size(bytes)} in ${directory}${lost === 0 ? '' : `; ${lost} minutes lost`}`;
}
