import { readConfigFile } from '../../config/file/file.ts';
import type { EnvironmentLayer } from '../../config/layers/layer.ts';
import { ConfigError } from '../../config/errors.ts';
import { resolveSettings } from '../../config/resolve.ts';
import type { Thresholds } from '../../config/thresholds.ts';
import { historyDirectory } from '../../history/files.ts';
import type { Span } from '../../history/span.ts';
import { flags, own } from '../arguments/flags.ts';
import type { Flag } from '../arguments/flags.ts';
import { renderHelp } from '../help.ts';
import { argumentLayer, parseFlags } from '../arguments/parse-flags.ts';
import type { Program } from '../arguments/parse-flags.ts';
import { parseSpan, spanFlags } from '../arguments/span-arguments.ts';

/** ms before and after the time of --at. */
const AROUND = 30 * 60_000;

/** What `proxtop report` is to do. */
export type ReportRequest =
  | { readonly help: string }
  | {
      /** Of a file, a pipe or the directory of a history, or `-`. */
      readonly source: string;
      readonly span: Span;
      /** Where to write: a path, `-` for standard output; undefined for a name made of host and span. */
      readonly output: string | undefined;
      readonly thresholds: Thresholds;
    };

/** The form of the command. */
export const reportUsage = 'proxtop report [FILE] [FLAG]...';

const meanings: Readonly<Record<string, string>> = {
  at: 'half an hour before this time and after it: 03:00, "yesterday 22:15", 2026-11-28T02:00Z, 1h (an hour ago), @SECONDS',
  from: 'nothing before this time, written in the same way',
  to: 'nothing after this time; a time of day is the next one after --from, +10m counts from there',
};

const output: Flag = {
  name: 'output',
  aliases: ['o'],
  group: 'Where to send it',
  placeholder: 'FILE',
  help: 'file to write or replace; - is standard output',
  otherwise: 'proxtop-HOST-TIMES.html in this directory',
  hidden: false,
};

const program: Program = {
  name: 'proxtop report',
  usage: [reportUsage],
  flags: [
    ...spanFlags.map((flag) => ({ ...flag, help: meanings[flag.name] ?? flag.help })),
    output,
    ...flags.filter(({ name }) => name === 'state-dir'),
    ...own.filter(({ name }) => name === 'config' || name === 'help'),
  ],
};

/**
 * Reads what stands behind `report`, with the environment and the file that --config names. Throws a ConfigError.
 *
 * @param now ms since 1970
 */
export function parseReportRequest(
  argv: readonly string[],
  environment: EnvironmentLayer,
  now: number,
): ReportRequest {
  const { words, rest } = separated(argv);
  const [source, ...more] = words;
  if (more.length > 0)
    throw new ConfigError(
      `report ${words.join(' ')}: the usage is ${reportUsage}; put a day and its time into one pair of quotation marks, such as --from "yesterday 22:15"`,
    );
  const given = parseFlags(rest, program);
  if (given.has('help')) return { help: reportHelp() };
  const config = given.get('config')?.text;
  const file = config === undefined ? undefined : readConfigFile(config);
  const settings = resolveSettings(file, environment, argumentLayer(given, program));
  const span = parseSpan(given, now);
  const { at } = span;
  return {
    source: source ?? historyDirectory(settings.stateDir),
    span:
      at === undefined
        ? span
        : { from: Math.max(span.from, at - AROUND), to: Math.min(span.to, at + AROUND) },
    output: given.get('output')?.text,
    thresholds: settings.thresholds,
  };
}

/** The words that are neither flags nor their values, and all else. */
function separated(argv: readonly string[]): { readonly words: string[]; readonly rest: string[] } {
  const taking = new Set(
    program.flags
      .filter(({ placeholder, bare }) => placeholder !== undefined && bare === undefined)
      .flatMap(({ name, aliases }) => [`--${name}`, ...aliases.map((alias) => `-${alias}`)]),
  );
  const isWord = (argument: string, index: number): boolean =>
    !taking.has(argv[index - 1] ?? '') && (argument === '-' || !argument.startsWith('-'));
  return { words: argv.filter(isWord), rest: argv.filter((each, index) => !isWord(each, index)) };
}

/** The text of `proxtop report --help`. */
function reportHelp(): string {
  return renderHelp(program, {
    purpose:
      'proxtop report writes what happened on a host into one HTML file: who suffered and from what, the host and each guest by time. Without FILE it is about the history of this host, else about a recording or the directory of a history.',
    examples: [
      ['proxtop report --from 02:00 --to 04:00', 'two hours of the last night'],
      ['proxtop report --at 03:00', 'half an hour before and after'],
      ['proxtop report friday.json -o friday.html', 'all of a recording'],
    ],
    notes: {
      'What to measure':
        'Without a time: all there is. Times are shown in the time zone of this machine; TZ names another.',
    },
    variables: 'PROXTOP_STATE_DIR',
    remarks: ['[thresholds] of the configuration file are the levels that values are compared with.'],
  });
}
