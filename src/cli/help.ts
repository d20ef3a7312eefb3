import { flagGroups } from '../config/schema/option.ts';
import type { FlagGroup } from '../config/schema/option.ts';
import { schema } from '../config/schema/schema.ts';
import { exitCodes } from './exit-codes.ts';
import { canBeNegated, synopsis } from './arguments/flags.ts';
import type { Flag } from './arguments/flags.ts';
import type { Program } from './arguments/parse-flags.ts';
import { wrap as wrapTo } from '../base/strings/wrap.ts';

const width = 80;

const notes: Partial<Record<FlagGroup, string>> = {
  'What to measure': `Without --cpu to --energy: ${schema.general.collectors.default}.`,
  'Where to send it':
    'Without any of these: the terminal view, or text if standard output is not a terminal.',
};

const examples = [
  ['proxtop', 'watch the VMs; h shows all keys'],
  ['proxtop -H', 'print the same as aligned text'],
  ['proxtop --cpu --disk -f 5 -r 12', 'CPU and disk for a minute'],
  ['proxtop -p json -o tcp --target logs:12345', 'stream JSON lines to Logstash'],
  ['proxtop --config /etc/proxtop.conf --check', 'show what the service would run'],
  ['proxtop --replay --at 03:00', 'show what happened at three'],
  ['proxtop worst --from 22:00 --to 06:00', 'rank the guests of last night'],
  ['proxtop report --from 02:00 --to 04:00', 'write the night into one HTML file'],
  ['proxtop status', 'show the state of all outputs'],
  ['proxtop spool', 'list records waiting on disk'],
] as const;

/** What the help of a program says besides its flags. */
interface HelpPage {
  /** One sentence: what the program does. */
  readonly purpose: string;
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /** Said below the heading of a group. */
  readonly notes: Partial<Record<FlagGroup, string>>;
  /** Environment variables to show. */
  readonly variables: string;
  /** Said after that about the configuration. */
  readonly remarks: readonly string[];
  /** Said after the exit codes that all programs have. */
  readonly moreExitCodes?: string;
}

/** The text of `proxtop --help`. */
export function helpText(program: Program): string {
  const purpose =
    'proxtop measures CPU, memory, disk, network and pressure of the KVM virtual machines and containers of this host, without an agent in the guest.';
  const variables = 'PROXTOP_FREQUENCY, PROXTOP_TARGET, ...';
  const moreExitCodes = `of status: ${exitCodes.done} healthy, ${exitCodes.failure} none runs, ${exitCodes.degraded} degraded`;
  const remarks = [
    '[thresholds] in that file sets when the terminal view shows a value in yellow or red: METRIC = warn/bad.',
  ];
  return renderHelp(program, { purpose, examples, notes, variables, remarks, moreExitCodes });
}

/** The help of a program: at most 80 columns, without colours. */
export function renderHelp(program: Program, page: HelpPage): string {
  const shown = program.flags.filter((flag) => !flag.hidden);
  const names = new Map(shown.map((flag) => [flag, flagNames(flag)]));
  const column = Math.max(...[...names.values()].map((text) => text.length)) + 4;
  const examples = Math.max(44, ...page.examples.map(([command]) => command.length + 2));
  const negatable = shown.filter(canBeNegated).map(({ name }) => `--no-${name}`);
  const lines = [
    ...wrap(page.purpose, ''),
    '',
    ...program.usage.map((form, index) => `${index === 0 ? 'Usage: ' : '       '}${form}`),
    '',
    'Examples',
    ...page.examples.map(([command, meaning]) => `  ${command.padEnd(examples)}${meaning}`),
  ];
  for (const group of flagGroups) {
    const members = shown.filter((flag) => flag.group === group);
    if (members.length === 0) continue;
    const note = page.notes[group];
    lines.push('', group, ...(note === undefined ? [] : wrap(note, '  ')));
    for (const flag of members) {
      const text = flag.otherwise === undefined ? flag.help : `${flag.help} (default: ${flag.otherwise})`;
      lines.push(...wrap(text, `  ${names.get(flag) ?? ''}`.padEnd(column)));
    }
  }
  const codes = [
    `${exitCodes.done} done, ${exitCodes.failure} failure or lost records, ${exitCodes.usage} wrong command line or configuration`,
    ...(page.moreExitCodes === undefined ? [] : [page.moreExitCodes]),
  ];
  lines.push(
    '',
    'More',
    ...(negatable.length === 0
      ? []
      : wrap(`${negatable.join(', ')} turn off options that the configuration enables.`, '  ')),
    ...wrap(
      `Each setting can also come from the configuration file or the environment (${page.variables}). Arguments override the environment, and the environment overrides the file.`,
      '  ',
    ),
    ...page.remarks.flatMap((remark) => wrap(remark, '  ')),
    ...wrap(`Exit codes: ${codes.join('; ')}.`, '  '),
  );
  return `${lines.join('\n')}\n`;
}

/** `-f, --frequency SECONDS`, indented so that all long names begin at the same column. */
function flagNames(flag: Flag): string {
  const { name, aliases } = flag;
  const short = aliases.find((alias) => alias.length === 1);
  const long = [name, ...aliases.filter((alias) => alias.length > 1)].map((each) => `--${each}`).join(', ');
  return `${short === undefined ? '    ' : `-${short}, `}${long}${synopsis(flag)}`;
}

function wrap(text: string, lead: string): string[] {
  return wrapTo(text, lead, width);
}
