import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readEnvironment } from '../../src/config/layers/environment.ts';
import { keysOf, parseConfig, readConfigFile } from '../../src/config/file/file.ts';
import { resolveSettings } from '../../src/config/resolve.ts';
import { defaultThresholds } from '../../src/config/thresholds.ts';
import { schemaOptions, printing, sectionNames, selecting } from '../../src/config/schema/schema.ts';

const shipped = new URL('../../etc/proxtop.conf', import.meta.url).pathname;
/** The shipped file with everything switched on that it only shows. */
const uncommented = readFileSync(shipped, 'utf8').replace(/^;(?=\[|[a-z_\d]+ = )/gm, '');
const nothing = readEnvironment({});

const directory = mkdtempSync(join(tmpdir(), 'proxtop-shipped-'));
after(() => {
  rmSync(directory, { recursive: true });
});

test('as it is shipped it changes no default', () => {
  assert.deepEqual(
    resolveSettings(readConfigFile(shipped), nothing, nothing),
    resolveSettings(undefined, nothing, nothing),
  );
});

test('every key and value it shows is valid', () => {
  const path = join(directory, 'all.conf');
  // What is replayed holds its nodes itself.
  writeFileSync(path, uncommented.replace(/^hosts = .*\n/m, ''));
  const { outputs, netdev } = resolveSettings(readConfigFile(path), nothing, nothing);
  assert.deepEqual(
    outputs.map(({ name, type }) => [name, type]),
    [
      ['logstash', 'tcp'],
      ['remote', 'tcp'],
      ['events', 'udp'],
      ['file', 'file'],
      ['influx', 'http'],
      ['push', 'http'],
      ['otlp', 'http'],
      ['requests', 'http'],
      ['intake', 'http'],
      ['prometheus', 'prometheus'],
    ],
  );
  assert.deepEqual(netdev, ['eno1', 'eno2']);

  writeFileSync(path, /^hosts = .*\n/m.exec(uncommented)?.[0] ?? '');
  const { watched } = resolveSettings(readConfigFile(path), nothing, nothing);
  assert.ok(typeof watched === 'object');
  assert.deepEqual(
    watched.map(({ user, host }) => [user, host]),
    [
      [undefined, 'pve1'],
      ['admin', 'kvm2'],
    ],
  );
});

test('it shows every key there is, with its default', () => {
  const file = parseConfig(uncommented, 'all.conf');
  const outputs = [...file.outputs.values()].map(({ given }) => given);
  for (const section of sectionNames) {
    for (const [key, option] of Object.entries(schemaOptions(section))) {
      const maps = section === 'output' ? outputs : [file[section]];
      const shown = maps.map((given) => given.get(key)?.text).filter((text) => text !== undefined);
      assert.ok(shown.length > 0, `${section} ${key} is not shown`);
      if (option.default === undefined) continue;
      for (const value of shown) assert.equal(value, option.default, `${section} ${key}`);
    }
  }
  assert.deepEqual(
    Object.fromEntries([...file.thresholds].map(([id, { text }]) => [id, text])),
    defaultThresholds,
  );
  const keys = [...Object.keys(printing), ...Object.keys(selecting)];
  for (const key of keys) assert.ok(keysOf('output').includes(key), key);
  for (const key of Object.keys(selecting))
    assert.ok(
      outputs.some((given) => given.has(key)),
      key,
    );
});
