import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pane } from '../tui/pane.ts';

const PROXTOP = join(import.meta.dirname, '../../dist/proxtop');

test('where the view of a cluster cannot begin, proxtop ends', async () => {
  const pane = await Pane.open(120, 24);
  try {
    // It sees no process of this machine, and so no VM.
    pane.type(`unshare --mount --pid --fork --mount-proc ${PROXTOP} --cluster; echo end of $?`);
    const screen = await pane.shows('end of 1');
    assert.match(screen, /no hypervisor found/);
  } finally {
    pane.close();
  }
});

test('--cluster on a host in no cluster says so in the view and afterwards, and shows this host', async () => {
  assert.ok(!existsSync('/etc/pve/.members'), 'this machine is in no cluster');
  const pane = await Pane.open(120, 24);
  try {
    pane.type(`${PROXTOP} --cluster --qemu`);
    await pane.shows('is watched alone');
    assert.match(pane.screen, /NODE/);
    pane.press('q');
    await pane.until(
      'the shell again',
      (screen) => /is watched alone/.test(screen) && /READY\$\n*$/.test(screen),
    );
  } finally {
    pane.close();
  }
});
