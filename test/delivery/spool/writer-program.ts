// Spools record after record until it is killed; tells on stdout the number of each that is synced.
import { writeSync } from 'node:fs';
import { open } from './helpers.ts';

const [directory = '', from = '1'] = process.argv.slice(2);
const spool = await open(directory);
for (let seq = Number(from); ; seq += 3) {
  // Batches of three records of very different sizes.
  const batch = [
    ...spool.entries(seq, seq, 10),
    ...spool.entries(seq + 1, seq + 1, 40_000),
    ...spool.entries(seq + 2, seq + 2, 500),
  ];
  if (await spool.spool.append(batch)) writeSync(1, `${seq + 2}\n`);
}
