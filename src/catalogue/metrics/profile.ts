import { gauge } from '../metric.ts';
import type { MetricTable } from '../metric.ts';

/** What a profile says of a VM. */
export const profile = {
  vm: [
    gauge('profile_likeliness', {
      title: 'LIKELY',
      unit: 'ratio',
      source: 'profile of proxprofiler',
      formula:
        'how likely the change from the state one period ago to the present one is, 0..1, mean over the metrics of the profile; docs/profiler.md',
      meaning: 'How usual its present behaviour is, according to its profile; near 0 is unusual.',
      needs: 'proxprofiler --likeliness with a profile of the VM',
    }),
  ],
} satisfies MetricTable;
