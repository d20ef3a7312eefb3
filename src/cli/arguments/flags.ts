import type { FlagGroup, Option } from '../../config/schema/option.ts';
import { schemaOptions } from '../../config/schema/schema.ts';
import type { SectionName } from '../../config/schema/schema.ts';

/** A flag of the command line. */
export interface Flag {
  /** Without dashes. */
  readonly name: string;
  /** Other names: one letter, or another word. */
  readonly aliases: readonly string[];
  readonly group: FlagGroup;
  /** Stands for the value in the help; missing for a flag that takes none. */
  readonly placeholder?: string;
  /** What the flag means when it is given without a value; missing where it needs one. */
  readonly bare?: string;
  readonly help: string;
  /** What holds without the flag, in words. */
  readonly otherwise?: string;
  readonly hidden: boolean;
  /** The option it sets; missing for a flag that is not about settings. */
  readonly option?: FlagOption;
}

/** The option that a flag sets. */
interface FlagOption {
  readonly section: SectionName;
  readonly key: string;
  /** The value that a switch stands for. */
  readonly value?: string;
  /** Whether switches for several values add up. */
  readonly list: boolean;
}

export const information = { group: 'Configuration and information', hidden: false } as const;

/** The flags that set no option. */
export const own: readonly Flag[] = [
  {
    name: 'view',
    aliases: [],
    group: 'Where to send it',
    hidden: false,
    help: 'open the terminal view beside the configured outputs',
    otherwise: 'opens on a terminal if no output is requested',
  },
  {
    ...information,
    name: 'config',
    aliases: [],
    placeholder: 'FILE',
    help: 'read this configuration file; the service reads /etc/proxtop.conf',
  },
  { ...information, name: 'check', aliases: [], help: 'show what would run, or the errors, and exit' },
  {
    ...information,
    name: 'list-metrics',
    aliases: [],
    placeholder: 'json',
    bare: 'table',
    help: 'list all metrics with unit and definition, as a table or JSON, and exit',
  },
  {
    ...information,
    name: 'changes',
    aliases: [],
    hidden: true,
    help: 'print of each sample only what differs from the one before, for proxtop --hosts on another host',
  },
  { ...information, name: 'version', aliases: ['v'], help: 'print the version and exit' },
  { ...information, name: 'help', aliases: ['h'], help: 'print this text and exit' },
];

/** Every flag of proxtop, in the order in which the help shows those of a group. */
export const flags: readonly Flag[] = [
  ...sectionFlags(['output', 'history', 'connector', 'general']),
  ...own,
];

/** The flags of all options of some sections. */
export function sectionFlags(sections: readonly SectionName[]): readonly Flag[] {
  return sections.flatMap((section) =>
    Object.entries(schemaOptions(section)).flatMap(([key, option]) => flagsOf(section, key, option)),
  );
}

/** The flags of one option: a flag of its own, switches for its values, or none. */
function flagsOf(section: SectionName, key: string, option: Option): Flag[] {
  const found: Flag[] = [];
  const list = option.type.list === true;
  if (option.flag !== undefined) {
    const { group, alias, esxtop, name, placeholder, bare, hidden = false } = option.flag;
    const otherwise = option.default ?? option.otherwise;
    found.push({
      name: name ?? key.replaceAll('_', '-'),
      aliases: [alias, esxtop].filter((letter) => letter !== undefined),
      group,
      ...(placeholder !== undefined && { placeholder }),
      ...(bare !== undefined && { bare }),
      help: option.help,
      ...(otherwise !== undefined && !option.type.boolean && { otherwise }),
      hidden,
      option: { section, key, list },
    });
  }
  for (const { name, alias, value, help, group, hidden = false } of option.switches ?? []) {
    const aliases = alias === undefined ? [] : [alias];
    found.push({ name, aliases, group, help, hidden, option: { section, key, value, list } });
  }
  return found;
}

/** The value of a flag as it follows the name in a synopsis: ` SECONDS`, `[=json]` or nothing. */
export function synopsis({ placeholder, bare }: Flag): string {
  if (placeholder === undefined) return '';
  return bare === undefined ? ` ${placeholder}` : `[=${placeholder}]`;
}

/** Whether `--no-NAME` turns the flag off. */
export function canBeNegated({ option, placeholder }: Flag): boolean {
  return option !== undefined && option.value === undefined && placeholder === undefined;
}
