import type { MetricTable } from './define.ts';

/** What a profile says of a VM. One line a metric: id, title, unit, kind, shown, source, definition, original, needs. */
// prettier-ignore
export const profile = {
  vm: [
    ['profile_likeliness', 'LIKELY', 'ratio', 'gauge', 'default', 'profile of proxprofiler', 'how likely the change from the state one period ago to the present one is, 0..1, mean over the metrics of the profile; docs/profiler.md', '', 'proxprofiler --likeliness with a profile of the VM'],
  ],
} as const satisfies MetricTable;
