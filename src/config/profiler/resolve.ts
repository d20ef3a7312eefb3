import { usualInputs } from '../../profiler/inputs.ts';
import type { ProfilerSettings } from '../../profiler/settings.ts';
import { overlay, readValues } from '../layers/given.ts';
import type { Given } from '../layers/given.ts';
import type { EnvironmentLayer, FileLayer, Layer } from '../layers/layer.ts';
import { resolveSettings } from '../resolve.ts';
import { schema } from '../schema/schema.ts';
import type { Settings } from '../settings.ts';

/** Everything a run of proxprofiler needs to know. */
export interface ProfilerRunSettings {
  /** As for proxtop, with the collectors that the profiled metrics need. */
  readonly run: Settings;
  readonly profiler: ProfilerSettings;
}

/** The settings of proxprofiler: as proxtop's, and those of [profiler]. Throws a ConfigError. */
export function resolveProfilerSettings(
  file: FileLayer | undefined,
  environment: EnvironmentLayer,
  args: Layer,
): ProfilerRunSettings {
  const none = new Map<string, Given>();
  const given = overlay(file?.profiler ?? none, environment.profiler, args.profiler);
  const values = readValues(schema.profiler, given);
  const profiler: ProfilerSettings = {
    profile: {
      states: values.states,
      buffersize: values.buffersize,
      history: values.history,
      filterStdDevs: values.filterstddevs,
      fixedBound: values.fixedbound,
      periodSize: values.periodsize ?? [],
      phaseChangeLikeliness: values.phasechangelikeliness,
      phaseChangeHistory: values.phasechangehistory,
    },
    metrics: values.metrics,
    limits: { net: values.net_limit, io: values.io_limit },
    outputFreq: values.outputfreq,
  };
  const collectors = profiler.metrics ?? usualInputs;
  // The history is proxtop's.
  const withoutHistory = new Map([['enabled', { text: 'false', origin: 'proxprofiler' }]]);
  const settings = resolveSettings(file, environment, { ...args, history: withoutHistory });
  return { run: { ...settings, collectors, record: undefined, replay: undefined }, profiler };
}
