/**
 * CPU per printed sample of a synthetic host: 200 VMs, every metric known. Run: node --import tsx bench/printers.ts
 *
 * Beside the printers stand the ways they could have been written: JSON.stringify of ready objects, and the same line
 * as a concatenated string.
 */
import { gzipSync } from 'node:zlib';
import { Aggregator } from '../src/delivery/aggregation/aggregator.ts';
import { scopes } from '../src/catalogue/define.ts';
import type { Scope } from '../src/catalogue/define.ts';
import { collectorNames, columns, countedColumns } from '../src/catalogue/catalogue.ts';
import { Row } from '../src/catalogue/row.ts';
import { listsOf } from '../src/catalogue/row-tree.ts';
import { Ledger } from '../src/delivery/ledger/ledger.ts';
import { snappy } from '../src/delivery/http/snappy.ts';
import { RecordQueue } from '../src/delivery/ledger/queue.ts';
import { createPrinter } from '../src/formats/index.ts';
import type { PrinterName } from '../src/formats/index.ts';
import type { PrinterSettings } from '../src/formats/printer.ts';
import { quote } from '../src/formats/json/json.ts';
import { maxNumberBytes, writeNumber } from '../src/formats/shared/numbers.ts';
import { PrometheusPage } from '../src/formats/prometheus/page.ts';
import { TextCache } from '../src/formats/shared/text-cache.ts';
import type { Sample } from '../src/sampling/sample.ts';
import { compareParts } from './compare.ts';

const vmCount = 200;
/** Devices of a VM; of all other kinds one. */
const devices: Partial<Record<Scope, number>> = { vm_vcpu: 4, vm_disk: 2 };

/** The same doubles in every run, between 0 and 1. */
let state = 1;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

/** A value as its unit would have it: whole counts and bytes, percents with all their digits, rates across decades. */
function typical(unit: string): number {
  switch (unit) {
    case 'percent':
      return random() * 100;
    case 'bytes':
      return Math.floor(random() * 2 ** 24) * 4096;
    case 'count':
      return Math.floor(random() * 100);
    default:
      return random() < 0.3 ? 0 : 10 ** (random() * 7 - 1);
  }
}

function fill(row: Row, name: string): Row {
  for (const { slot, kind, unit, id } of columns(row.scope)) {
    if (kind === 'text') row.texts[slot] = `${id}-of-${name}`;
    else row.values[slot] = typical(unit);
  }
  for (const { slot } of countedColumns(row.scope))
    row.counters[slot] = Math.floor(random() * 2 ** (20 + random() * 30));
  return row;
}

const rows = (scope: Scope, count: number, owner: string) =>
  Array.from({ length: count }, (_, index) => fill(new Row(scope), `${owner}-${index}`));

const sample: Sample = {
  time: Date.UTC(2026, 10, 22, 12),
  run: '0190a5b2',
  seq: 1,
  interval: 1.0003,
  host: {
    row: fill(new Row('host'), 'pve1'),
    ...listsOf('host', ({ scope }) => rows(scope, 4, 'pve1')),
  },
  guests: Array.from({ length: vmCount }, (_, index) => {
    const name = `vm${index}`;
    const vm = { type: 'qemu', key: name, uuid: name, name } as const;
    const row = fill(new Row('vm'), name);
    return {
      guest: vm,
      twin: false,
      row,
      ...listsOf('vm', ({ scope }) => rows(scope, devices[scope] ?? 1, name)),
    };
  }),
  agent: {
    row: fill(new Row('agent'), 'agent'),
    outputs: rows('agent_output', 2, 'output'),
    verdicts: [],
    nodes: [],
  },
  collectors: collectorNames,
  runs: collectorNames.map((name) => ({ name, duration: 0.5, failed: false })),
};
const allRows = [sample.host.row, ...sample.guests.map(({ row }) => row), sample.agent.row];

/** What is measured: what makes a page or record, and gives its length. */
const cases = new Map<string, () => number>();
function measure(name: string, work: () => number): void {
  cases.set(name, work);
}

/** CPU ms of the process per call, garbage collection included: the best of ten rounds after one of warming up. */
function cost(work: () => number): number {
  const round = (duration: number) => {
    const before = process.cpuUsage();
    const end = performance.now() + duration;
    let calls = 0;
    for (; performance.now() < end; calls++) work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / calls;
  };
  round(700);
  return Math.min(...Array.from({ length: 10 }, () => round(150)));
}

const settings: PrinterSettings = {
  layout: 'cycle',
  verbose: true,
  devices: false,
  human: false,
  names: 'proxtop',
};
const printed = (name: PrinterName, changed: Partial<PrinterSettings>) => {
  const printer = createPrinter(name, { ...settings, ...changed });
  return () => printer.print(sample).reduce((bytes, record) => bytes + record.length, 0);
};

/** The known values of a row as a plain object, under their ids. */
function plain({ scope, values, texts }: Row): Record<string, unknown> {
  return Object.fromEntries(
    columns(scope).map(({ id, slot, kind }) => [id, kind === 'text' ? texts[slot] : values[slot]]),
  );
}

/** The rows as one line of JSON, concatenated as a string, with numbers rounded by `digits`. */
function concatenated(digits: (value: number) => string): () => number {
  const members = new Map(
    scopes.map((scope) => [scope, columns(scope).map((metric) => ({ ...metric, key: `,"${metric.id}":` }))]),
  );
  const quoted = new Map<string, string>();
  return () => {
    let line = '';
    for (const { scope, values, texts } of allRows) {
      for (const { key, slot, kind } of members.get(scope) ?? []) {
        if (kind === 'text') {
          const text = texts[slot] ?? '';
          let value = quoted.get(text);
          if (value === undefined) quoted.set(text, (value = quote(text)));
          line += key + value;
        } else {
          const value = values[slot] ?? NaN;
          if (Number.isFinite(value)) line += key + digits(value);
        }
      }
    }
    return Buffer.from(line).length;
  };
}

const numbers = allRows.flatMap(({ values }) => [...values].filter((value) => !Number.isNaN(value)));
const texts = allRows.flatMap(({ texts }) => texts.filter((text) => text !== undefined));
measure('json cycle', printed('json', {}));
measure('json cycle, devices', printed('json', { devices: true }));
measure('json cycle, original names', printed('json', { names: 'original' }));
measure('json event', printed('json', { layout: 'event' }));
measure('json event, devices', printed('json', { layout: 'event', devices: true }));
measure('influx', printed('influx', {}));
measure('influx, devices', printed('influx', { devices: true }));
measure('influx event, devices', printed('influx', { layout: 'event', devices: true }));
measure('msgpack', printed('msgpack', {}));
measure('msgpack, devices', printed('msgpack', { devices: true }));
measure('csv', printed('csv', {}));
measure('csv, devices', printed('csv', { devices: true }));
measure('text', printed('text', {}));
measure('otlp, devices', printed('otlp', { verbose: false, devices: true }));
measure('otlp, verbose, devices', printed('otlp', { devices: true }));
const aggregator = new Aggregator(1e9);
measure('a sample taken into an interval, devices', () => {
  aggregator.add(sample, () => undefined);
  return 0;
});
measure('text, human', printed('text', { human: true }));

const body = Buffer.concat(createPrinter('influx', { ...settings, layout: 'event' }).print(sample));
for (const level of [1, 6]) measure(`gzip of influx, level ${level}`, () => gzipSync(body, { level }).length);
const page = (verbose: boolean, devices: boolean) => {
  const printer = new PrometheusPage({ verbose, devices });
  return () => printer.print(sample, 'openmetrics').length;
};
measure('prometheus', page(false, false));
measure('prometheus, devices', page(false, true));
measure('prometheus, verbose, devices', page(true, true));
const scraped = new PrometheusPage({ verbose: false, devices: true }).print(sample, 'openmetrics');
for (const level of [1, 2, 6])
  measure(`gzip of prometheus, devices, level ${level}`, () => gzipSync(scraped, { level }).length);
measure('remote-write', printed('remote-write', { verbose: false }));
measure('remote-write, devices', printed('remote-write', { verbose: false, devices: true }));
const series = Buffer.concat(
  createPrinter('remote-write', { ...settings, verbose: false, devices: true }).print(sample),
);
measure('snappy of remote-write, devices', () => snappy(series).length);
measure('the same by gzip, level 1', () => gzipSync(series, { level: 1 }).length);
const ledger = new Ledger();
const queue = new RecordQueue({ maxBytes: 64 << 20, whenFull: 'drop_oldest' }, ledger);
const queued = (name: PrinterName, changed: Partial<PrinterSettings>) => {
  const printer = createPrinter(name, { ...settings, ...changed });
  return () => {
    for (const record of printer.print(sample)) queue.push(record, 0);
    const { length } = queue;
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      ledger.hand(entry.ordinal);
      ledger.arrive(entry.ordinal);
    }
    return length;
  };
};
const two = [queued('json', {}), queued('influx', { layout: 'event' })];
measure('two outputs, printed and queued', () => two.reduce((sum, output) => sum + output(), 0));

const objects = allRows.map(plain);
measure('JSON.stringify of ready objects', () => Buffer.from(JSON.stringify(objects)).length);
measure('string, String(number)', concatenated(String));
measure(
  'string, rounded to 3 decimals',
  concatenated((value) => String(Math.round(value * 1000) / 1000)),
);
measure(
  'string, toFixed(3)',
  concatenated((value) => value.toFixed(3)),
);

const scratch = Buffer.alloc(numbers.length * 32 + maxNumberBytes);
measure('numbers alone: writeNumber', () =>
  numbers.reduce((at, value) => writeNumber(scratch, at, value), 0),
);
measure('numbers alone: String', () => numbers.reduce((size, value) => size + String(value).length, 0));
const cache = new TextCache(quote);
measure('texts alone: cached', () => texts.reduce((size, text) => size + cache.bytes(text).length, 0));
measure('texts alone: quoted', () => texts.reduce((size, text) => size + Buffer.from(quote(text)).length, 0));

await compareParts(import.meta.filename, (figures) => {
  for (const [name, work] of cases) {
    figures.set(`${name}: CPU, ms a call`, cost(work));
    figures.set(`${name}: bytes`, work());
  }
});
