import { ConfigError } from '../../config/errors.ts';
import { parseGiven } from '../../config/layers/given.ts';
import type { Given } from '../../config/layers/given.ts';
import { theHistory } from '../../config/schema/schema.ts';
import { refuse } from '../../config/values.ts';
import { everything } from '../../history/span.ts';
import type { Span } from '../../history/span.ts';
import { moment, momentExamples } from '../../base/strings/moment.ts';
import type { Flag } from './flags.ts';

const common = { aliases: [], group: 'What to measure', hidden: false, placeholder: 'TIME' } as const;

/** Which part of what is replayed is wanted; each means the history where no other --replay is given. */
export const spanFlags: readonly Flag[] = [
  {
    ...common,
    name: 'at',
    help: 'replay from this time on; for printers, the single sample at this time: 03:00, "yesterday 22:15", 2026-11-28T02:00Z, 1h (an hour ago), @SECONDS',
  },
  { ...common, name: 'from', help: 'start of the replayed span; same formats' },
  {
    ...common,
    name: 'to',
    help: 'end of the replayed span; a time of day is the next one after --from, +10m counts from --from',
  },
];

/** The flags with the history to be replayed, where a time is given and nothing else to replay. */
export function withImpliedReplay(given: ReadonlyMap<string, Given>): ReadonlyMap<string, Given> {
  const time = spanFlags.map(({ name }) => given.get(name)).find((one) => one !== undefined);
  if (time === undefined || given.has('replay')) return given;
  return new Map([...given, ['replay', { text: theHistory, origin: time.origin }]]);
}

/** The part of a recording that the flags ask for. Throws a ConfigError. @param now ms since 1970 */
export function parseSpan(given: ReadonlyMap<string, Given>, now: number): Span {
  const [at, from] = ['at', 'from'].map((name) => momentOf(given.get(name), { now }));
  const to = momentOf(given.get('to'), { now, ...(from !== undefined && { begin: from }) });
  const span = { from: from ?? everything.from, to: to ?? everything.to, ...(at !== undefined && { at }) };
  if (span.from > span.to)
    throw new ConfigError(
      `--to: found ${stamp(span.to)}, expected a time after --from, which is ${stamp(span.from)}`,
    );
  if (at !== undefined && (at < span.from || at > span.to))
    throw new ConfigError(`--at: found ${stamp(at)}, expected a time from --from to --to`);
  return span;
}

function momentOf(given: Given | undefined, reference: Parameters<typeof moment>[1]): number | undefined {
  return given && parseGiven(given, (text) => moment(text, reference) ?? refuse(text, momentExamples));
}

function stamp(time: number): string {
  return new Date(time).toISOString();
}
