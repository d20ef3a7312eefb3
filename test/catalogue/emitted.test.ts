import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCollectors } from '../../src/collectors/index.ts';
import { SensorCollector } from '../../src/collectors/sensors.ts';
import { catalogue, collectorNames, columns, countedColumns } from '../../src/catalogue/catalogue.ts';
import { scopes } from '../../src/catalogue/define.ts';
import type { RootScope } from '../../src/catalogue/entities.ts';
import { partsOf, rowsOf } from '../../src/catalogue/row-tree.ts';
import type { Row } from '../../src/catalogue/row.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { Sampler } from '../../src/sampling/sampler.ts';
import { idleStatus, logs } from '../delivery/helpers.ts';
import { TestInventory } from '../sampling/support.ts';
import { Machine, captures } from './machine.ts';

const everything = { wanted: { verbose: true, devices: true }, netdev: undefined, storedev: undefined };

function allRows({ host, guests, agent }: Sample): Row[] {
  return [host, ...guests, agent].flatMap((tree) => [
    tree.row,
    ...partsOf(tree.row.scope as RootScope).flatMap((part) => rowsOf(tree, part)),
  ]);
}

for (const kernel of Object.keys(captures) as (keyof typeof captures)[]) {
  // That everything emitted is declared, the types prove: a collector has slots for its own ids and no other.
  test(`everything declared is emitted on ${kernel}, or names what it needs`, async (t) => {
    const machine = new Machine(t, kernel);
    const { log, at } = logs();
    const collectors = createCollectors(collectorNames, machine.paths, everything);
    const sampler = new Sampler(machine.paths, new TestInventory(machine.vms), collectors, log);
    const outputs = [{ name: 'test', status: idleStatus() }];
    sampler.sample(0, outputs);
    for (const each of collectors) if (each instanceof SensorCollector) await each.reading;
    sampler.agent.cycleTook(1);
    machine.grow();
    const sample = sampler.sample(0, outputs);
    assert.deepEqual(at('error'), []);
    assert.deepEqual(sample.collectors, collectorNames);

    const emitted = new Set<string>();
    const counted = new Set<string>();
    for (const row of allRows(sample)) {
      for (const { id, slot, kind } of columns(row.scope)) {
        const value = row.values[slot] as number;
        const name = `${row.scope} ${id}`;
        if (kind === 'text') assert.ok(Number.isNaN(value), `${name} is a text and has a number`);
        else assert.equal(row.texts[slot], undefined, `${name} is a number and has a text`);
        assert.notEqual(Math.abs(value), Infinity, name);
        if (!Number.isNaN(value) || row.texts[slot] !== undefined) emitted.add(name);
        if (!Number.isNaN(row.counters[slot])) counted.add(name);
      }
    }
    const missing = catalogue.filter(({ scope, id }) => !emitted.has(`${scope} ${id}`));
    assert.deepEqual(
      missing.filter(({ needs }) => needs === '').map(({ scope, id }) => `${scope} ${id}`),
      [],
    );
    const counters = scopes.flatMap(countedColumns);
    const countable = counters.map(({ scope, id }) => `${scope} ${id}`).filter((name) => emitted.has(name));
    assert.deepEqual([...counted].sort(), countable.sort(), 'counters that are set, and those declared');
    const lacking = missing.map(({ scope, id, needs }) => `${scope} ${id} (${needs})`);
    t.diagnostic(`${emitted.size} of ${catalogue.length} emitted; not here: ${lacking.join(', ')}`);
    sampler.close();
  });
}
