import type { Target } from './harness.ts';
import { fileTargets } from './targets-files.ts';
import { hostTargets } from './targets-host.ts';
import { wireTargets } from './targets-wire.ts';

/** Every parser of what others write. */
export const targets: readonly Target[] = [...hostTargets, ...wireTargets, ...fileTargets];
