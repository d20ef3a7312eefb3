/**
 * The nodes of bench/cluster.ts, in a process of its own so that only who watches is measured: what a proxtop on each of them sends
 * once a second, into named pipes. Arguments: the directory of the pipes, the nodes' names.
 */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { columns, slots } from '../src/catalogue/catalogue.ts';
import type { Row } from '../src/catalogue/row.ts';
import { ChangesPrinter } from '../src/formats/changes/changes-printer.ts';
import { syntheticHost } from './synthetic-host.ts';

const GUESTS = 100;
const SECOND = 1000;
const { host_name } = slots('host', 'host');
const { UUID, pid, vmid, name: NAME, guest_type, state, qmp, lock } = slots('identity', 'vm');
const [directory = '', ...names] = process.argv.slice(2);

/** Guests are told apart by the names of their devices, too. */
function nameDevice([at, { scope, texts }]: [number, Row]): void {
  const slot = columns(scope).find(({ id }) => id === 'device')?.slot;
  if (slot !== undefined) texts[slot] = `device${at}`;
}

/** @returns prints the next sample */
function nodeOf(name: string, number: number): () => readonly Buffer[] {
  const sampleOf = syntheticHost(GUESTS);
  const printer = new ChangesPrinter();
  let second = 0;
  return () => {
    const sample = sampleOf(second++);
    sample.host.row.texts[host_name] = name;
    for (const [index, { row, vcpus, disks, nics }] of sample.guests.entries()) {
      const id = number * GUESTS + index + 100;
      Object.assign(row.texts, {
        [UUID]: `4dd0f1a1-93d5-4a35-8d4b-${String(id).padStart(12, '0')}`,
        [pid]: String(10_000 + id),
        [vmid]: String(id),
        [NAME]: `guest-${id}`,
        [guest_type]: 'qemu',
        [state]: 'running',
        [qmp]: undefined,
        // Each of them would have a badge.
        [lock]: undefined,
      });
      for (const part of [vcpus, disks, nics].flatMap((list) => [...list.entries()])) nameDevice(part);
    }
    return printer.print({ ...sample, time: Date.now(), run: `run-${name}` });
  };
}

for (const [number, name] of names.entries()) {
  const print = nodeOf(name, number);
  const pipe = createWriteStream(join(directory, name));
  // Who read it has ended.
  pipe.on('error', () => process.exit());
  let size = 0;
  setTimeout(
    () => {
      setInterval(() => {
        for (const record of print()) {
          size = record.length;
          pipe.write(record);
        }
        if (number === 0) process.stdout.write(`${size}\n`);
      }, SECOND);
    },
    SECOND - (Date.now() % SECOND),
  );
}
