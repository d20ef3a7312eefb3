import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultThresholds, resolveThresholds } from '../../src/config/thresholds.ts';
import { catalogue } from '../../src/catalogue/catalogue.ts';
import type { Metric } from '../../src/catalogue/catalogue.ts';
import type { Scope } from '../../src/catalogue/define.ts';
import { metricOf } from '../../src/tui/values/row-values.ts';
import { why } from '../../src/tui/analysis/why.ts';
import { row } from '../formats/sample.ts';

const thresholds = resolveThresholds(new Map([['cpu_load1', { text: 'off', origin: 'test' }]]));

function metric(scope: Scope, id: string): Metric {
  const found = metricOf(scope, id);
  assert.ok(found !== undefined, `${scope} ${id}`);
  return found;
}

function text(scope: Scope, id: string, known?: Readonly<Record<string, number | string>>): string {
  return why(metric(scope, id), known && row(scope, known), thresholds, 200).join('\n');
}

test('says what a value means, where it comes from, how it is made, what its levels and causes are', () => {
  assert.equal(
    text('vm', 'cpu_steal', { cpu_steal: 12.345 }),
    [
      '%RDY: cpu_steal of a VM',
      '',
      'How much of the time its vCPUs want to run, and wait because no CPU is free for them. The guest stands still meanwhile and may see it as steal time.',
      '',
      'now       12.3%: red',
      'source    /proc/<pid>/task/<tid>/schedstat field 2',
      'formula   mean over vCPU threads of delta(run-queue wait ns)/delta(ns)*100',
      `container ${metric('vm', 'cpu_steal').container}`,
      'levels    yellow from 5, red from 10 percent; [thresholds] cpu_steal changes that',
      '',
      'What usually causes it',
      ...metric('vm', 'cpu_steal').causes.map((cause) => `  - ${cause}`),
    ].join('\n'),
  );
});

test('levels of sizes, parts of others, one alone and none', () => {
  assert.match(text('vm', 'ram_swap', { ram_swap: 3 * 2 ** 20 }), /^now +3\.0MiB: red$/m);
  assert.match(text('vm', 'ram_swap'), /^levels +yellow from 1B, red from 1\.0MiB; /m);
  const memory = text('host', 'ram_available', { ram_available: 2 ** 30, ram_total: 16 * 2 ** 30 });
  assert.match(memory, /^now +1\.0GiB, 6\.3 percent of ram_total: yellow$/m);
  assert.match(memory, /^levels +yellow at most 10, red at most 4 percent of ram_total; /m);
  assert.match(text('vm', 'cpu_throttled'), /^levels +red from 1 percent; /m);
  assert.match(text('host', 'cpu_load1', { cpu_load1: 99, cpu_cores: 1 }), /^now +99$/m);
  assert.match(text('host', 'cpu_load1'), /^levels +none; \[thresholds\] cpu_load1 = warn\/bad sets some$/m);
});

test('what is not known is said to be so', () => {
  assert.match(text('vm', 'cpu_steal', {}), /^now +not known$/m);
  assert.match(text('vm', 'ram_used', {}), /^needs +balloon statistics from the guest$/m);
  assert.match(text('vm', 'state', { state: 'paused' }), /^now +paused$/m);
});

test('nobody is sent to the line above', () => {
  assert.match(
    text('vm', 'disk_lat_wr'),
    /^formula +delta\(time\)\/delta\(ops\); omitted without operations$/m,
  );
  assert.match(text('vm', 'ram_used'), /^source +QMP query-balloon total_mem/m);
  for (const each of catalogue) {
    const lines = why(each, undefined, thresholds, 60);
    for (const line of lines) {
      assert.ok(line.length <= 60 || /\S{40}/.test(line), line);
      assert.doesNotMatch(line, /as above/);
    }
  }
});

test('everything that can turn red by default has causes', () => {
  assert.ok(Object.keys(defaultThresholds).length > 20);
  for (const each of catalogue) {
    if (defaultThresholds[each.id] === undefined) continue;
    assert.ok(each.causes.length > 0, `${each.scope} ${each.id}`);
    assert.match(why(each, undefined, thresholds, 60).join('\n'), /^What usually causes it$/m);
  }
});
