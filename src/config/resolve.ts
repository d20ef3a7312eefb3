import { collectorNames } from '../metrics/catalogue.ts';
import { ConfigError } from './errors.ts';
import { overlay, readValues } from './given.ts';
import type { Given, GivenMap } from './given.ts';
import type { FileLayer, Layer } from './layer.ts';
import { resolveOutputs } from './outputs.ts';
import { schema } from './schema.ts';
import type { Settings } from './settings.ts';

/**
 * The settings of a run: defaults < file < environment < arguments. Throws a ConfigError for the first value that is
 * wrong or contradicts another one.
 */
export function resolveSettings(file: FileLayer | undefined, environment: Layer, args: Layer): Settings {
  const none = new Map<string, Given>();
  const given = overlay(file?.general ?? none, environment.general, args.general);
  const values = readValues(schema.general, given);
  const connector = readValues(
    schema.connector,
    overlay(file?.connector ?? none, environment.connector, args.connector),
  );
  const collectors = collectorNames.filter((name) => values.collectors.includes(name));
  const { procfs, sysfs, cgroupfs, rundir, pvedir } = values;
  return {
    frequency: values.frequency,
    runs: values.runs,
    detailInterval: detailInterval(values.frequency, values.detail_interval, given),
    collectors,
    netdev: values.netdev,
    storedev: values.storedev,
    connector: connector.type,
    roots: { procfs, sysfs, cgroupfs, rundir, pvedir },
    logLevel: values.log_level,
    outputs: resolveOutputs(file, environment, args, collectors),
  };
}

/** The default follows a longer frequency; a value that was given must not be below it. */
function detailInterval(frequency: number, interval: number, all: GivenMap): number {
  const given = all.get('detail_interval');
  if (given === undefined) return Math.max(interval, frequency);
  if (interval >= frequency) return interval;
  const cause = all.get('frequency')?.origin ?? 'frequency';
  throw new ConfigError(
    `${given.origin}: found "${given.text}", expected the frequency or more, which is ${frequency} seconds (${cause})`,
  );
}
