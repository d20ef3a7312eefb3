import type { ProfilerRunSettings } from '../../config/profiler/resolve.ts';
import { seconds } from '../check.ts';

/** What `proxprofiler --check` says of the profiles. */
export function describeProfiles({ profiler }: ProfilerRunSettings): readonly (readonly [string, string])[] {
  const { profile, limits, outputFreq } = profiler;
  const { states, buffersize, history, filterStdDevs, fixedBound, periodSize } = profile;
  const { phaseChangeLikeliness, phaseChangeHistory } = profile;
  const limit = (bytes: number | undefined, otherwise: string): string =>
    bytes === undefined ? otherwise : `${bytes} bytes per second`;
  return [
    ['profiles', `every ${seconds(outputFreq)}`],
    ['states', `${states}, each the mean of ${buffersize} samples, after ${history} before it`],
    ['outliers', filterStdDevs < 0 ? 'counted' : `left out beyond ${filterStdDevs} standard deviations`],
    [
      'bounds',
      fixedBound
        ? `fixed; net ${limit(limits.net, 'to the speed of the links')}, io ${limit(limits.io, 'to the most measured')}`
        : 'grow with what is seen',
    ],
    ['cycles', periodSize.length === 0 ? 'none' : periodSize.join(', ')],
    [
      'phases',
      phaseChangeLikeliness === 0
        ? 'none'
        : `change below a likeliness of ${phaseChangeLikeliness} over ${phaseChangeHistory} transitions`,
    ],
  ];
}
