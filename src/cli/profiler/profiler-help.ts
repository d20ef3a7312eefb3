import { renderHelp } from '../help.ts';
import type { Program } from '../arguments/parse-flags.ts';

const examples = [
  ['proxprofiler -o tcp --target logs:12345', 'CPU, net and I/O of all VMs'],
  ['proxprofiler --cpu --states 6 --history 2', 'CPU alone, in finer detail'],
  ['proxprofiler --input load.csv --fixedbound', 'profile a file, without a host'],
  ['proxprofiler --input load.csv --plot', 'and look at it'],
  ['proxprofiler --likeliness p.json -p json', 'what behaves unusually now?'],
] as const;

/** The text of `proxprofiler --help`. */
export function profilerHelp(program: Program): string {
  return renderHelp(program, {
    purpose:
      'proxprofiler learns what is normal for each KVM virtual machine of this host: how often its load moves from one level to another. It streams a profile per VM, as lines of JSON.',
    examples,
    notes: {
      'What to profile': 'Without any of these: cpu, net and io, or all columns of a CSV file.',
      'What to measure': 'For the samples that --likeliness streams.',
      'Where to send it':
        'Without any of these: standard output. Profiles are JSON; FORMAT and LAYOUT are for --likeliness.',
    },
    variables: 'PROXTOP_TARGET, PROXPROFILER_STATES, ...',
    remarks: [],
  });
}
