import { renderHelp } from '../help.ts';
import { worstProgram } from './worst-arguments.ts';

const examples = [
  ['sudo proxtop worst --from 22:00 --to 06:00', 'which guests suffered last night?'],
  ['sudo proxtop worst --by %RDY --from 1h', 'who waited for a CPU lately?'],
  ['proxtop worst --by disk_lat_wr --devices', 'which virtual disks were slow?'],
  ['proxtop worst --replay friday.json -p csv', 'rank a recording, as CSV'],
] as const;

/** The text of `proxtop worst --help`. */
export function worstHelp(): string {
  return renderHelp(worstProgram, {
    purpose:
      'proxtop worst lists the guests that fared worst in a part of the history, or of a recording: mean and largest sample of a metric, when that was, and how long it was at or above its thresholds.',
    examples,
    notes: { 'What to measure': 'Without --from and --to: all that was recorded.' },
    variables: 'PROXTOP_STATE_DIR, ...',
    remarks: [
      'Red and yellow are set by [thresholds] of that file: METRIC = warn/bad.',
      'Means of latencies are over operations, all others over time. The largest sample is that of a second where the history has it, which keeps means over 10 s with their peaks.',
    ],
  });
}
