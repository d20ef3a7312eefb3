import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { doubtsOfDescriptors, limitOfService, ownLimit } from '../../src/config/check/descriptors.ts';
import { defaultRoots } from '../../src/kernel/base/paths.ts';
import { directory } from '../delivery/helpers.ts';
import { Qemu } from '../qmp/qemu.ts';

let qemu: Qemu;

before(() => {
  qemu = new Qemu([]);
});
after(() => {
  qemu.stop();
});

test('too few descriptors for the running VMs are reported, with the number they need', (t) => {
  // Real files of a real QEMU, without those of other VMs on this machine.
  const procfs = directory(t);
  const process = join(procfs, String(qemu.pid));
  mkdirSync(process);
  for (const file of ['stat', 'comm', 'exe', 'cmdline'])
    symlinkSync(`/proc/${qemu.pid}/${file}`, join(process, file));
  const settings = { roots: { ...defaultRoots, procfs } };
  const threads = readdirSync(`/proc/${qemu.pid}/task`).length;
  const [doubt = ''] = doubtsOfDescriptors(settings, 200);
  assert.match(
    doubt,
    new RegExp(`\\(1, with ${threads} threads\\) take about ${208 + threads} descriptors, and 200 are`),
  );
  assert.deepEqual(doubtsOfDescriptors(settings, 208 + threads), []);
  assert.deepEqual(doubtsOfDescriptors(settings, Infinity), []);
});

test('the limits are those of the shell and of the unit', () => {
  const told = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  // Node raises the soft limit to the hard one when it starts.
  assert.equal(String(ownLimit()), told === 'unlimited' ? 'Infinity' : told);
  for (const program of ['proxtop', 'proxprofiler']) {
    const unit = readFileSync(new URL(`../../systemd/${program}.service`, import.meta.url), 'utf8');
    assert.match(unit, new RegExp(`^LimitNOFILE=${limitOfService}$`, 'm'));
  }
});
