import type { Option } from '../../src/config/schema/option.ts';
import {
  environmentName,
  schemaOptions,
  printing,
  sectionNames,
  selecting,
  type SectionName,
} from '../../src/config/schema/schema.ts';
import { defaultThresholds, levelUnit } from '../../src/config/thresholds.ts';
import { catalogue } from '../../src/catalogue/catalogue.ts';

/** A key of the configuration file, as its documents show it. */
export interface Key {
  readonly name: string;
  readonly help: string;
  readonly expected: string;
  /** What holds without it; undefined where that goes without saying. */
  readonly default: string | undefined;
  /** Outputs that have it, where not all. */
  readonly outputs: readonly string[] | undefined;
  /** Undefined where no variable sets it. */
  readonly variable: string | undefined;
}

export interface Section {
  /** As it stands in the file; '' for the top. */
  readonly header: string;
  readonly about: string;
  readonly keys: readonly Key[];
}

const headers: Readonly<Record<SectionName, string>> = {
  general: '',
  connector: '[connector]',
  output: '[output.NAME]',
  history: '[history]',
  profiler: '[profiler]',
};

const abouts: Readonly<Record<SectionName, string>> = {
  general: 'Keys before the first section.',
  connector: 'Where the list of guests comes from.',
  output:
    'One section for each output, with a name of your choice. The variables describe one output, which replaces those in the file.',
  history:
    'The history that the service keeps in state_dir for --replay, even without an output: means and the largest samples of all metrics and devices. If the top of the file names no collectors, all but sensors and energy measure for the history; outputs still get the default ones.',
  profiler: 'Used only by proxprofiler.',
};

/** Levels for yellow and red in the terminal view: the metrics that have them by default. */
const thresholds: Section = {
  header: '[thresholds]',
  about:
    'Levels from which the terminal view shows a value in yellow and in red: METRIC = warn/bad, one level for red alone, or off. Any numeric metric can be a key. If the first level is the larger one, small values are bad.',
  keys: Object.entries(defaultThresholds).map(([name, level]) => ({
    name,
    help: catalogue.find(({ id }) => id === name)?.meaning ?? '',
    expected: `warn/bad: ${levelUnit(name)}`,
    default: level,
    outputs: undefined,
    variable: undefined,
  })),
};

/** All that the file can hold, from the schema of the options. */
export const sections: readonly Section[] = [
  ...sectionNames.map((section) => ({
    header: headers[section],
    about: abouts[section],
    keys: [
      ...Object.entries(schemaOptions(section)).map(([name, option]) =>
        keyOf(name, option, environmentName(section, name)),
      ),
      ...(section === 'output' ? ownOfOutputs() : []),
    ],
  })),
  thresholds,
];

/** Which samples one output gets, and how they are printed. */
function ownOfOutputs(): Key[] {
  const selected = Object.entries<Option>(selecting).map(([name, option]) => keyOf(name, option, undefined));
  const printed = Object.entries<Option>(printing).map(([name, option]) => ({
    ...keyOf(name, option, undefined),
    default: `as at the top (${option.default ?? ''})`,
  }));
  return [...selected, ...printed];
}

function keyOf(name: string, option: Option, variable: string | undefined): Key {
  const { help, type, outputs } = option;
  return {
    name,
    help,
    expected: type.expected,
    default: option.default ?? option.otherwise,
    outputs,
    variable,
  };
}
