import { test } from 'node:test';
import { Run } from './harness.ts';
import { targets } from './targets.ts';

// Random inputs, close to good ones, for every parser that a stranger feeds. How long: FUZZ_SECONDS for all of them
// together; which inputs: FUZZ_SEED, printed, another one each time in `make fuzz`; one target or case: FUZZ_TARGET, FUZZ_CASE.

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 120);
const seed = Number(process.env['FUZZ_SEED'] ?? 1);
const { FUZZ_TARGET: wanted, FUZZ_CASE: only } = process.env;
const chosen = targets.filter(({ name }) => wanted === undefined || name === wanted);

for (const target of chosen) {
  test(target.name, async (t) => {
    const run = new Run(target, seed, only === undefined ? undefined : Number(only));
    try {
      await run.for((seconds * 1000) / chosen.length);
    } finally {
      t.diagnostic(`seed ${seed}: ${run.cases} cases, ${run.refused} refused`);
    }
  });
}
