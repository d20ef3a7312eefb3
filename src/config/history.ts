import type { MeasuringName } from '../catalogue/catalogue.ts';
import { historyDirectory } from '../history/files.ts';
import type { HistorySettings } from '../history/settings.ts';
import { recordInterval } from './delivery.ts';
import { readValues } from './layers/given.ts';
import type { GivenMap } from './layers/given.ts';
import { schema } from './schema/schema.ts';

/** Seconds that a record stands for where nothing is said. */
const usualInterval = 10;

/** What a history needs to know of the rest of the configuration. */
interface RunSettings {
  /** Whether a service manager started us: then there is one unless it is turned off. */
  readonly service: boolean;
  readonly stateDir: string;
  /** Seconds between two samples. */
  readonly frequency: number;
  /** What it is to hold. */
  readonly collectors: readonly MeasuringName[];
}

/** What this host keeps of its samples; undefined for nothing. Throws a ConfigError. */
export function resolveHistory(
  given: GivenMap,
  { service, stateDir, frequency, collectors }: RunSettings,
): HistorySettings | undefined {
  const { enabled = service, interval, keep, max } = readValues(schema.history, given);
  // Checked even if it is off, so that it is valid when it is turned on.
  const wanted = recordInterval(given, { interval }, frequency, usualInterval);
  if (!enabled) return undefined;
  return {
    directory: historyDirectory(stateDir),
    interval: wanted ?? frequency,
    keep,
    maxBytes: max,
    collectors,
  };
}
