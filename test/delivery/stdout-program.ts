// Started by stdout.test.ts: writes samples to standard output, and tells on standard error how it ended when asked to.
//   COUNT SIZE    writes so many records of so many bytes, then closes at once
//   endless SIZE  writes until the reader is gone, then exits 0
//   idle SIZE     writes 100 MiB, and then tells how long its event loop stood still, and its status
import { pino } from 'pino';
import { storeOf } from '../../src/delivery/format.ts';
import { createOutput } from '../../src/delivery/index.ts';
import { Stores } from '../../src/delivery/ledger/stores.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { record } from './helpers.ts';

const [mode = '', size = '0'] = process.argv.slice(2);
const print = { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' } as const;
const printer = { print: ({ seq }: Sample): Buffer[] => [record(seq, Number(size))] };
const settings = { name: 'test', type: 'stdout', printer: 'json', print } as const;
const log = pino({ level: 'warn' }, pino.destination(2));
const stores = new Stores(log);
const store = stores.take({ output: 'test', format: 'json', schema: 1 }, storeOf(settings));
const output = createOutput(settings, printer, store, log, () => process.exit(0));
output.begin();
// The output needs of a sample only that the printer knows it; this printer needs its seq.
let seq = 0;
const write = (): void => {
  output.write({ seq: ++seq } as Sample);
};

if (mode === 'endless') {
  setInterval(write, 1);
} else if (mode === 'idle') {
  let longest = 0;
  let last = performance.now();
  while (seq * Number(size) < 100 << 20) {
    write();
    await new Promise(setImmediate);
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  process.stderr.write(
    JSON.stringify({ longest, seq, rss: process.memoryUsage.rss(), status: output.status }),
  );
  await output.close(60_000);
  await stores.close();
  process.exit(0);
} else {
  while (seq < Number(mode)) write();
  await output.close(20_000);
  await stores.close();
  process.exit(0);
}
