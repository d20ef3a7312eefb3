/** Writes of a virtual disk or a block device of the host; where they are read differs. */
export const writes = {
  title: 'WRITES/s',
  unit: 'per second',
  formula: 'rate',
  meaning: 'Completed writes.',
  original: { id: 'dsk_WRITES/s' },
  counter: { unit: 'one', counted: 'parts', help: 'Completed writes' },
} as const;

/** Bytes read; `counter` lacks the unit of what is counted. */
export const readMib = {
  title: 'MBRD/s',
  unit: 'MiB per second',
  formula: 'rate/2^20',
  meaning: 'Data read.',
  original: { id: 'dsk_MBRD/s' },
  counter: { name: 'disk_read_bytes', counted: 'parts', help: 'Bytes read' },
} as const;

/** Bytes written; `counter` lacks the unit of what is counted. */
export const writeMib = {
  title: 'MBWR/s',
  unit: 'MiB per second',
  formula: 'rate/2^20',
  meaning: 'Data written.',
  original: { id: 'dsk_MBWR/s' },
  counter: { name: 'disk_write_bytes', counted: 'parts', help: 'Bytes written' },
} as const;

/** Operations of all kinds; what they are the sum of differs. */
export const commands = {
  title: 'CMDS/s',
  unit: 'per second',
  shown: 'verbose',
  source: 'derived',
  meaning: "Completed operations of all kinds together: esxtop's CMDS/s, IOPS.",
  counter: { none: 'the counters of reads, writes and flushes have it' },
} as const;
