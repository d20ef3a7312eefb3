import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { readEnvironment } from '../../src/config/layers/environment.ts';
import { parseConfig } from '../../src/config/file/file.ts';
import { resolveSettings } from '../../src/config/resolve.ts';
import { catalogue } from '../../src/catalogue/catalogue.ts';

const docs = new URL('../../docs/', import.meta.url).pathname;
const documents = [
  join(docs, 'migrating.md'),
  ...readdirSync(join(docs, 'integrations'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(docs, 'integrations', name)),
];

test('every configuration that is shown is valid', () => {
  let shown = 0;
  const nothing = readEnvironment({});
  for (const path of documents) {
    for (const [, text = ''] of readFileSync(path, 'utf8').matchAll(/```ini\n([\s\S]*?)```/g)) {
      shown++;
      const { outputs } = resolveSettings(parseConfig(text, path), nothing, nothing);
      assert.ok(outputs.length > 0);
    }
  }
  assert.ok(shown >= 8, `${shown} found`);
});

test('every file that is linked is there', () => {
  for (const path of documents)
    for (const [, target = ''] of readFileSync(path, 'utf8').matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g))
      if (!target.startsWith('http'))
        assert.ok(existsSync(join(dirname(path), target)), `${path}: ${target}`);
});

test('what esxtop users are told to look at is in the catalogue', () => {
  const text = readFileSync(join(docs, 'migrating.md'), 'utf8');
  const guide = text.slice(text.indexOf('## From esxtop'));
  const ids = guide.match(/`(?:cpu|ram|disk|net|psi)_\w+`/g)?.map((id) => id.slice(1, -1)) ?? [];
  assert.ok(ids.length > 30);
  for (const id of ids)
    assert.ok(
      catalogue.some((metric) => metric.id === id),
      id,
    );
});

test('every JSON that is shown or shipped is JSON', () => {
  for (const path of documents)
    for (const [, text = ''] of readFileSync(path, 'utf8').matchAll(/```json\n([\s\S]*?)```/g))
      JSON.parse(text);
  JSON.parse(readFileSync(join(docs, 'integrations/logstash/index-template.json'), 'utf8'));
});
