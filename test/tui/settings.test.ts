import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { loadSettings, saveSettings, settingsPath } from '../../src/tui/settings-file.ts';
import { defaultSettings, readSettings } from '../../src/tui/settings.ts';

test('what was kept is there again', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'proxtop-view-'));
  t.after(() => {
    rmSync(root, { recursive: true });
  });
  const path = join(root, 'some', 'where', 'view.json');
  assert.deepEqual(loadSettings(path), { settings: defaultSettings() }, 'no file yet');
  const settings = defaultSettings();
  settings.view = 'd';
  settings.units = 'MiB';
  settings.nameWidth = 30;
  settings.rows = 5;
  settings.views.d.columns = ['device', 'name', 'disk_errors'];
  settings.views.d.sort = 'disk_errors';
  settings.views.d.reverse = true;
  saveSettings(path, settings);
  assert.deepEqual(loadSettings(path), { settings });
  assert.equal((JSON.parse(readFileSync(path, 'utf8')) as { view: string }).view, 'd');
});

test('a file that cannot be understood is told and not used', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'proxtop-view-'));
  t.after(() => {
    rmSync(root, { recursive: true });
  });
  const path = join(root, 'view.json');
  writeFileSync(path, '{"view": ');
  const { settings, trouble } = loadSettings(path);
  assert.deepEqual(settings, defaultSettings());
  assert.match(trouble ?? '', /view\.json is not used: .*JSON/);
  rmSync(path);
  mkdirSync(path);
  assert.match(loadSettings(path).trouble ?? '', /EISDIR/);
});

test('what another version or an editor wrote counts as far as it makes sense', () => {
  const kept = {
    view: 'z',
    units: 7,
    nameWidth: -1,
    rows: 3,
    views: {
      c: { columns: ['name', 'cpu_gone', 'cpu_total', 'name'], sort: 'gone', reverse: 'yes' },
      d: { columns: [] },
      q: 1,
    },
  };
  const expected = defaultSettings();
  expected.rows = 3;
  expected.views.c.columns = ['name', 'cpu_total'];
  assert.deepEqual(readSettings(kept), expected);
  for (const nonsense of [null, 1, 'a', [], { views: [] }])
    assert.deepEqual(readSettings(nonsense), defaultSettings());
});

test('the file lies where XDG says, if it says an absolute path', () => {
  assert.equal(settingsPath({ XDG_CONFIG_HOME: '/x' }), '/x/proxtop/view.json');
  for (const env of [{}, { XDG_CONFIG_HOME: '' }, { XDG_CONFIG_HOME: 'relative' }])
    assert.equal(dirname(settingsPath(env)), join(homedir(), '.config/proxtop'));
});
