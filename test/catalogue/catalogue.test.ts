import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CollectorName, Metric } from '../../src/catalogue/catalogue.ts';
import { catalogue, collectorNames, columns, slots } from '../../src/catalogue/catalogue.ts';
import type { Scope } from '../../src/catalogue/define.ts';
import { scopes } from '../../src/catalogue/define.ts';
import { gauge, percent, rate, text } from '../../src/catalogue/metric.ts';
import type { Kind } from '../../src/catalogue/metric.ts';
import { originalText } from '../../src/catalogue/original.ts';
import { Row } from '../../src/catalogue/row.ts';
import { units } from '../../src/catalogue/units.ts';

/** The contract: what is measured, as it was agreed. The catalogue may hold more, and nothing else of these. */
const contract = readFileSync(join(import.meta.dirname, '../fixtures/metrics.tsv'), 'utf8');

const kinds: readonly Kind[] = ['gauge', 'rate', 'percent', 'mean', 'text'];

const keyOf = ({ scope, id }: Pick<Metric, 'scope' | 'id'>): string => `${scope} ${id}`;

test('every row of the contract is in the catalogue, column by column', () => {
  const [header = '', ...lines] = contract.trimEnd().split('\n');
  // What the contract calls the definition is the formula here.
  const names = header.split('\t');
  const fields = names.map((name) => (name === 'definition' ? 'formula' : name)) as (keyof Metric)[];
  const declared = new Map(catalogue.map((metric) => [keyOf(metric), metric]));
  assert.ok(lines.length > 300);
  for (const line of lines) {
    const row = Object.fromEntries(line.split('\t').map((text, i) => [names[i], text])) as Record<
      string,
      string
    >;
    const metric = declared.get(`${row['scope']} ${row['id']}`);
    assert.ok(metric !== undefined, `not declared: ${line}`);
    const all = { ...metric, original: originalText(metric.original) };
    assert.deepEqual(Object.fromEntries(names.map((name, i) => [name, all[fields[i]!]])), row);
  }
});

test('ids are unique in their scope', () => {
  assert.equal(new Set(catalogue.map(keyOf)).size, catalogue.length);
});

test('every column is from its closed list or says something', () => {
  const collectors: readonly string[] = [...collectorNames, 'profile', '-'];
  for (const metric of catalogue) {
    const { scope, collector, id, title, unit, kind, shown, source } = metric;
    const name = keyOf(metric);
    assert.ok(scopes.includes(scope), name);
    assert.ok(collectors.includes(collector), name);
    assert.match(id, /^[A-Za-z][A-Za-z0-9_]*$/, name);
    assert.match(title, /^\S+$/, name);
    assert.ok(unit in units, `${name}: ${unit}`);
    assert.ok(kinds.includes(kind), `${name}: ${kind}`);
    assert.ok(['default', 'verbose'].includes(shown), name);
    assert.notEqual(source, '', name);
    assert.equal(unit === '-', kind === 'text', `${name}: only a text has no unit`);
    assert.equal(unit === 'percent', kind === 'percent', `${name}: a percentage is one in unit and kind`);
  }
});

test('every metric has a meaning; every number of a collector is explained in plain words', () => {
  for (const metric of catalogue) {
    const { collector, kind, meaning, formula } = metric;
    assert.notEqual(meaning.trim(), '', keyOf(metric));
    if (collector === '-' || kind === 'text') continue;
    assert.notEqual(meaning, formula, keyOf(metric));
    assert.match(meaning, /^[A-Z].*\.$/, keyOf(metric));
  }
});

test('a metric without a meaning, a rate without its counter, a level on a text do not compile', () => {
  const facts = { title: 'X', source: 'nowhere', meaning: 'Nothing.' };
  // @ts-expect-error a metric without a meaning
  gauge('x', { title: 'X', source: 'nowhere', unit: 'count' });
  // @ts-expect-error a rate that has no counter and does not say why
  rate('x', { ...facts, unit: 'per second' });
  rate('x', { ...facts, unit: 'per second', counter: { none: 'y has it' } });
  // @ts-expect-error a difference from the original that no printer knows
  gauge('x', { ...facts, unit: 'count', original: { id: 'x', differs: 'furlongs' } });
  // @ts-expect-error a level on a text
  text('x', { ...facts, levels: '5/10' });
  // @ts-expect-error a level that the configuration would refuse
  percent('x', { ...facts, levels: '5-10', causes: [] });
  // @ts-expect-error a level without the causes that people are told when it is red
  percent('x', { ...facts, levels: '5/10' });
  // @ts-expect-error a number in percent that is no percentage
  gauge('x', { ...facts, unit: 'percent' });
});

test('levels, what they are in, and causes are the same for an id in all its scopes', () => {
  for (const metric of catalogue) {
    const first = catalogue.find(({ id }) => id === metric.id);
    const judged = ({ levels, levelsIn, causes }: Metric) => ({ levels, levelsIn, causes });
    assert.deepEqual(judged(metric), first && judged(first), keyOf(metric));
  }
});

test('what levels are in, and the operations of a mean, are numbers of the same row', () => {
  for (const metric of catalogue) {
    for (const other of [metric.levelsIn?.to ?? [], metric.operations].flat()) {
      const found = columns(metric.scope).find(({ id }) => id === other);
      assert.ok(found !== undefined && found.kind !== 'text', `${keyOf(metric)}: ${other}`);
    }
  }
});

test('a metric is a counter or a gauge of Prometheus, not both', () => {
  for (const metric of catalogue)
    assert.ok(metric.counter === undefined || metric.gauge === undefined, keyOf(metric));
});

test('ids and titles are one to one among the metrics of a collector in a scope', () => {
  const seen = new Map<string, string>();
  for (const { scope, collector, id, title } of catalogue) {
    const key = `${scope} ${collector} ${title}`;
    assert.ok(!seen.has(key), `${id} and ${String(seen.get(key))} are both ${key}`);
    seen.set(key, id);
  }
});

test('slots are the places in a row', () => {
  for (const scope of scopes) {
    const metrics = columns(scope);
    assert.deepEqual(
      metrics.map(({ slot }) => slot),
      metrics.map((_, index) => index),
    );
    const { values, texts } = new Row(scope);
    assert.deepEqual([values.length, texts.length], [metrics.length, metrics.length]);
    assert.ok(values.every(Number.isNaN) && texts.every((text) => text === undefined));
  }
  assert.throws(() => columns('nosuch' as Scope), RangeError);
});

test('a metric of one unit is of the same kind in all scopes, and so are those of one family', () => {
  const kindsOf = (wanted: RegExp): Set<Kind> =>
    new Set(catalogue.filter(({ id }) => wanted.test(id)).map(({ kind }) => kind));
  for (const { id, kind, scope, unit } of catalogue) {
    const same = catalogue.filter((other) => other.id === id && other.unit === unit);
    assert.deepEqual(new Set(same.map((other) => other.kind)), new Set([kind]), `${scope} ${id}`);
  }
  assert.deepEqual(kindsOf(/^disk_lat_/), new Set(['mean']));
  assert.deepEqual(kindsOf(/^net_speed$/), new Set(['gauge']));
  assert.deepEqual(kindsOf(/^cpu_load/), new Set(['mean']));
});

test('a collector is given the slots it owns, and no other', () => {
  // @ts-expect-error a metric of another collector does not compile
  assert.equal(slots('cpu', 'vm').ram_total, undefined);
  // @ts-expect-error nor does one of another scope
  assert.equal(slots('cpu', 'vm_vcpu').cpu_cores, undefined);
  for (const name of collectorNames) {
    for (const scope of scopes) {
      const own = columns(scope).filter(({ collector }) => collector === name);
      const given: Record<string, number> = slots<CollectorName, Scope>(name, scope);
      assert.deepEqual(given, Object.fromEntries(own.map(({ id, slot }) => [id, slot])));
    }
  }
});

test('a row that is cleared knows nothing', () => {
  const row = new Row('vm');
  row.values.fill(0);
  row.texts.fill('');
  row.clear();
  assert.ok(row.values.every(Number.isNaN) && row.texts.every((text) => text === undefined));
});
