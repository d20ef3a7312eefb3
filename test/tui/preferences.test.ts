import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { loadPreferences, savePreferences, preferencesPath } from '../../src/tui/preferences-file.ts';
import { defaultPreferences, readPreferences } from '../../src/tui/preferences.ts';

test('what was kept is there again', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'proxtop-view-'));
  t.after(() => {
    rmSync(root, { recursive: true });
  });
  const path = join(root, 'some', 'where', 'view.json');
  assert.deepEqual(loadPreferences(path), { preferences: defaultPreferences() }, 'no file yet');
  const preferences = defaultPreferences();
  preferences.view = 'd';
  preferences.units = 'MiB';
  preferences.nameWidth = 30;
  preferences.rows = 5;
  preferences.views.d.columns = ['device', 'name', 'disk_errors'];
  preferences.views.d.sort = 'disk_errors';
  preferences.views.d.reverse = true;
  savePreferences(path, preferences);
  assert.deepEqual(loadPreferences(path), { preferences });
  assert.equal((JSON.parse(readFileSync(path, 'utf8')) as { view: string }).view, 'd');
});

test('a file that cannot be understood is reported and not used', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'proxtop-view-'));
  t.after(() => {
    rmSync(root, { recursive: true });
  });
  const path = join(root, 'view.json');
  writeFileSync(path, '{"view": ');
  const { preferences, trouble } = loadPreferences(path);
  assert.deepEqual(preferences, defaultPreferences());
  assert.match(trouble ?? '', /view\.json is not used: .*JSON/);
  rmSync(path);
  mkdirSync(path);
  assert.match(loadPreferences(path).trouble ?? '', /EISDIR/);
});

test('what another version or an editor wrote counts as far as it makes sense', () => {
  const kept = {
    view: 'y',
    units: 7,
    nameWidth: -1,
    rows: 3,
    views: {
      c: { columns: ['name', 'cpu_gone', 'cpu_total', 'name'], sort: 'gone', reverse: 'yes' },
      d: { columns: [] },
      q: 1,
    },
  };
  const expected = defaultPreferences();
  expected.rows = 3;
  expected.views.c.columns = ['name', 'cpu_total'];
  assert.deepEqual(readPreferences(kept), expected);
  for (const nonsense of [null, 1, 'a', [], { views: [] }])
    assert.deepEqual(readPreferences(nonsense), defaultPreferences());
});

test('the file lies where XDG says, if it says an absolute path', () => {
  assert.equal(preferencesPath({ XDG_CONFIG_HOME: '/x' }), '/x/proxtop/view.json');
  for (const env of [{}, { XDG_CONFIG_HOME: '' }, { XDG_CONFIG_HOME: 'relative' }])
    assert.equal(dirname(preferencesPath(env)), join(homedir(), '.config/proxtop'));
});
