import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { families } from '../../src/formats/prometheus/families.ts';
import { installed } from '../delivery/daemon.ts';

const folder = new URL('../../docs/integrations/prometheus/', import.meta.url).pathname;
const skip = !installed('promtool') && 'needs promtool (Debian package prometheus)';
const promtool = (...args: string[]): string =>
  execFileSync('promtool', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });

test('the shipped rules are right, and do what their tests say', { skip }, () => {
  assert.match(promtool('check', 'rules', 'proxtop-rules.yml'), /SUCCESS: \d+ rules found/);
  assert.match(promtool('test', 'rules', 'proxtop-rules.test.yml'), /SUCCESS/);
  assert.match(promtool('check', 'config', 'scrape.yml'), /is valid prometheus config/);
});

test('the rules ask for what the page has', () => {
  const described = [
    'proxtop_output_up',
    'proxtop_collector_success',
    'proxtop_agent_sample_timestamp_seconds',
  ];
  const published = families.map(({ name, type }) => (type === 'counter' ? `${name}_total` : name));
  const asked = readFileSync(`${folder}proxtop-rules.yml`, 'utf8').match(/\bproxtop_\w+/g) ?? [];
  assert.ok(asked.length > 10);
  for (const name of asked) assert.ok([...published, ...described].includes(name), name);
});

test('every alert has a test', () => {
  const rules = readFileSync(`${folder}proxtop-rules.yml`, 'utf8');
  const tests = readFileSync(`${folder}proxtop-rules.test.yml`, 'utf8');
  for (const [, name = ''] of rules.matchAll(/alert: (\w+)/g))
    assert.match(tests, new RegExp(`alertname: ${name}\\b`));
});

test('every verdict has words in the alerts', () => {
  const rules = readFileSync(`${folder}proxtop-rules.yml`, 'utf8');
  const verdicts = readFileSync(new URL('../../docs/verdicts.md', import.meta.url), 'utf8');
  const ids = [...verdicts.matchAll(/^\| `([a-z-]+)` \| [1-5] \|/gm)].map(([, id = '']) => id);
  assert.ok(ids.length > 20);
  for (const id of ids) assert.ok(rules.includes(`eq $labels.rule "${id}" }}`), id);
});
