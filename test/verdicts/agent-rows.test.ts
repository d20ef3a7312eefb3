import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Selector } from '../../src/delivery/selection.ts';
import { createPrinter } from '../../src/formats/index.ts';
import { SampleBuilder } from '../../src/recording/sample-builder.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { VerdictRows } from '../../src/verdicts/agent-rows.ts';
import { settings } from '../formats/sample.ts';
import { sampleAt } from './world.ts';
import type { World } from './world.ts';

const stopped: World = { guests: { '3103 shop': { state: 'io-error' } } };
const running: World = { guests: { '3103 shop': {} } };
const sentence = '3103 shop stopped: disk error (storage full or gone)';

interface Line {
  readonly agent: { readonly verdicts: readonly Readonly<Record<string, unknown>>[] };
}

function printed(sample: Sample): Line {
  return JSON.parse(String(createPrinter('json', settings).print(sample)[0])) as Line;
}

test('a verdict begins, holds, and is reported once more when it has ended', () => {
  const rows = new VerdictRows();
  const told = [running, stopped, stopped, running, running].map((world, second) => {
    const { verdicts } = printed(rows.judged(sampleAt(world, second))).agent;
    return verdicts;
  });
  const common = { rule: 'stopped', subject: '3103 shop', text: sentence };
  assert.deepEqual(told, [
    [],
    [{ ...common, state: 'begins', class: 1, age: 0 }],
    [{ ...common, state: 'holds', class: 1, age: 1 }],
    [{ ...common, state: 'ended' }],
    [],
  ]);
});

test('as an event it is a line, and as a record it is read back', () => {
  const sample = new VerdictRows().judged(sampleAt(stopped, 0));
  const events = createPrinter('json', { ...settings, layout: 'event' })
    .print(sample)
    .map((line) => JSON.parse(String(line)) as Record<string, unknown>);
  const event = events.find(({ type }) => type === 'agent_verdict');
  assert.equal(event?.['text'], sentence);
  for (const objects of [[printed(sample) as never], events as never[]]) {
    const again = new SampleBuilder().build(objects);
    assert.ok(again !== undefined);
    assert.deepEqual(printed(again).agent.verdicts, printed(sample).agent.verdicts);
  }
});

test('an output for some guests does not see others', () => {
  const sample = new VerdictRows().judged(sampleAt(stopped, 0));
  const count = (selection: ConstructorParameters<typeof Selector>[0]): number =>
    new Selector(selection).part(sample).agent.verdicts.length;
  assert.equal(count({}), 1);
  assert.equal(count({ collectors: ['cpu'] }), 1);
  assert.equal(count({ include: ['3103'] }), 0);
  assert.equal(count({ exclude: ['other'] }), 0);
});
