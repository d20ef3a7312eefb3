import type { GivenMap } from './given.ts';
import type { SectionName } from '../schema/schema.ts';

/** What the environment or the arguments say. Both can describe one output. */
export type Layer = Readonly<Record<SectionName, GivenMap>>;

/** What the environment says. */
export interface EnvironmentLayer extends Layer {
  /** What the service manager sets up, in section general: it wins over the defaults only. */
  readonly provided: GivenMap;
  /** Whether a service manager started us: then nobody reads standard output. */
  readonly service: boolean;
}

/** What a file says. */
export interface FileLayer {
  readonly general: GivenMap;
  readonly connector: GivenMap;
  readonly history: GivenMap;
  readonly profiler: GivenMap;
  /** By NAME of [output.NAME], in the order of the file. */
  readonly outputs: ReadonlyMap<string, OutputSection>;
  /** By the ids of metrics. */
  readonly thresholds: GivenMap;
}

export interface OutputSection {
  /** Where it begins, for messages. */
  readonly origin: string;
  readonly given: GivenMap;
}
