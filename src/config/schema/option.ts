import type { ValueType } from '../values.ts';

/** The headings under which `--help` shows the flags, in its order. */
export const flagGroups = [
  'What to measure',
  'What to profile',
  'What to do instead',
  'How a profile is made',
  'Where to send it',
  'How often',
  'Where the VMs are found',
  'Configuration and information',
] as const;
export type FlagGroup = (typeof flagGroups)[number];

export const outputTypes = ['stdout', 'file', 'tcp', 'udp', 'http', 'prometheus'] as const;
export type OutputType = (typeof outputTypes)[number];

/** The flag of an option; its name is the key with dashes. */
interface OptionFlag {
  readonly group: FlagGroup;
  /** One letter. */
  readonly alias?: string;
  /** The letter that esxtop has for it. */
  readonly esxtop?: string;
  /** Another name where the key would say too little. */
  readonly name?: string;
  /** Stands for the value in the help; left out for a flag that takes none. */
  readonly placeholder?: string;
  /** The value it has when it is given without one; missing where it needs one. */
  readonly bare?: string;
  /** Understood, but not shown in the help. */
  readonly hidden?: true;
}

/** A flag without a value that stands for one value of an option. */
interface Switch {
  readonly name: string;
  /** One letter, or another long name. */
  readonly alias?: string;
  readonly value: string;
  readonly help: string;
  readonly group: FlagGroup;
  readonly hidden?: true;
}

/** One thing that can be configured. File, environment, arguments and documentation are all derived from this. */
export interface Option {
  readonly type: ValueType<unknown>;
  /** As it would stand in the file; missing where there is none, or where it depends on other options. */
  readonly default?: string;
  /** In words: what holds where nothing is given and there is no default. */
  readonly otherwise?: string;
  /** One sentence without a full stop. */
  readonly help: string;
  readonly flag?: OptionFlag;
  readonly switches?: readonly Switch[];
  /** Outputs it applies to, where not all. */
  readonly outputs?: readonly OutputType[];
}
