import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PveConfigs } from '../../src/guests/proxmox/pve-configs.ts';
import { PveFiles } from '../../src/guests/proxmox/pve-files.ts';
import type { VmConfig } from '../../src/guests/proxmox/vm-config.ts';
import { vmConfigs } from '../../src/guests/proxmox/vm-config.ts';
import { defaultRoots, Paths } from '../../src/kernel/base/paths.ts';
import { PveTree } from '../lab/pve-tree.ts';
import { directory, logs } from '../delivery/helpers.ts';
import { eventually, hangingFile } from './support.ts';

function setUp(t: TestContext): {
  pvedir: string;
  pve: PveTree;
  configs: PveConfigs<VmConfig>;
  at: ReturnType<typeof logs>['at'];
  file: (vmid: number) => string;
  refreshed: () => Promise<string | undefined>;
} {
  const pvedir = join(directory(t), 'pve');
  const pve = new PveTree(pvedir, hostname().split('.')[0] ?? '');
  const { log, at } = logs();
  const files = new PveFiles(new Paths({ ...defaultRoots, pvedir }));
  const configs = new PveConfigs(files, vmConfigs, log);
  return {
    pvedir,
    pve,
    configs,
    at,
    file: (vmid) => join(pvedir, 'local/qemu-server', `${vmid}.conf`),
    /** The name of VM 100 after a look. */
    refreshed: async () => {
      await configs.refresh();
      return configs.get('100')?.name;
    },
  };
}

test('configurations come, change and go with the version', async (t) => {
  const { pve, configs, refreshed, file } = setUp(t);
  assert.equal(await refreshed(), undefined);
  pve.write(100, 'name: one\n');
  pve.write(101, 'name: other\n');
  writeFileSync(`${file(102)}.tmp.1`, 'name: half\n');
  assert.equal(await refreshed(), 'one');
  assert.equal(configs.get('101')?.name, 'other');
  assert.equal(configs.get('102'), undefined);
  pve.write(100, 'name: renamed\n');
  assert.equal(await refreshed(), 'renamed');
  pve.remove(100);
  assert.equal(await refreshed(), undefined);
  assert.equal(configs.get('101')?.name, 'other');
});

test('while the version stays nothing is read', async (t) => {
  const { pve, refreshed, file } = setUp(t);
  pve.write(100, 'name: one\n');
  assert.equal(await refreshed(), 'one');
  writeFileSync(file(100), 'name: not announced\n');
  assert.equal(await refreshed(), 'one');
});

test('two changes in the same second and of the same length: pmxcfs tells whole seconds', async (t) => {
  const { pve, refreshed, file } = setUp(t);
  const second = Math.floor(Date.now() / 1000);
  pve.write(100, 'name: one\n');
  utimesSync(file(100), second, second);
  assert.equal(await refreshed(), 'one');
  pve.write(100, 'name: two\n');
  utimesSync(file(100), second, second);
  assert.equal(await refreshed(), 'two');
});

test('a file that its writer has just truncated leaves what is known', async (t) => {
  const { pve, refreshed } = setUp(t);
  pve.write(100, 'name: one\n');
  assert.equal(await refreshed(), 'one');
  pve.write(100, '');
  assert.equal(await refreshed(), 'one');
  pve.write(100, 'name: two\n');
  assert.equal(await refreshed(), 'two');
});

test('a file system without .version is looked at every time', async (t) => {
  const { pvedir, pve, refreshed, file } = setUp(t);
  rmSync(join(pvedir, '.version'));
  pve.write(100, 'name: one\n');
  rmSync(join(pvedir, '.version'));
  assert.equal(await refreshed(), 'one');
  writeFileSync(file(100), 'name: changed\n');
  assert.equal(await refreshed(), 'changed');
});

test('/etc/pve unmounted: what is known stays, said once when it begins and once when it ends', async (t) => {
  const { pvedir, pve, refreshed, at } = setUp(t);
  pve.write(100, 'name: one\n');
  assert.equal(await refreshed(), 'one');
  for (let outage = 1; outage <= 2; outage++) {
    renameSync(pvedir, `${pvedir}.mounted`);
    mkdirSync(pvedir);
    assert.equal(await refreshed(), 'one');
    assert.equal(await refreshed(), 'one');
    assert.deepEqual(readdirSync(pvedir), []);
    assert.equal(at('warn').length, outage);
    assert.match(
      at('warn').at(-1) ?? '',
      /cannot be read, keeping the last known one: .*there is neither .*local.qemu-server/,
    );

    rmSync(pvedir, { recursive: true });
    renameSync(`${pvedir}.mounted`, pvedir);
    assert.equal(await refreshed(), 'one');
    assert.equal(at('info').length, outage);
  }
});

test('a configuration that hangs: what is known stays, and no look waits for it a second time', async (t) => {
  const { pve, configs, refreshed, file, at } = setUp(t);
  pve.write(100, 'name: one\n');
  assert.equal(await refreshed(), 'one');
  rmSync(file(100));
  const { answer } = hangingFile(t, file(100));
  pve.write(101, 'name: other\n');
  assert.equal(await refreshed(), 'one');
  assert.match(at('warn')[0] ?? '', /100\.conf: no answer within \d+ ms/);
  assert.equal(await refreshed(), 'one');
  assert.equal(configs.get('101'), undefined);
  assert.equal(at('warn').length, 1);

  answer();
  pve.write(100, 'name: two\n');
  await eventually(async () => (await refreshed()) === 'two');
  assert.equal(configs.get('101')?.name, 'other');
  assert.equal(at('info').length, 1);
});

test('a look that is under way is joined', async (t) => {
  const { pve, configs } = setUp(t);
  pve.write(100, 'name: one\n');
  const look = configs.refresh();
  assert.equal(configs.refresh(), look);
  await look;
  assert.notEqual(configs.refresh(), look);
});

test('another kind of guest has its own folder and grammar; while one file hangs, nobody reads another', async (t) => {
  const pvedir = join(directory(t), 'pve');
  const pve = new PveTree(pvedir, hostname().split('.')[0] ?? '');
  const files = new PveFiles(new Paths({ ...defaultRoots, pvedir }));
  const { log, at } = logs();
  const vms = new PveConfigs(files, vmConfigs, log);
  const lxc = { folder: 'lxc', guests: 'containers', parse: (text: string) => text.trim().split('\n') };
  const containers = new PveConfigs(files, lxc, log);
  const container = join(pvedir, 'local/lxc/101.conf');
  pve.write(100, 'name: one\n');
  writeFileSync(container, 'hostname: ct\nlxc.prlimit.nofile = 1024\n');
  await Promise.all([vms.refresh(), containers.refresh()]);
  assert.equal(vms.get('100')?.name, 'one');
  const known = ['hostname: ct', 'lxc.prlimit.nofile = 1024'];
  assert.deepEqual(
    [containers.get('101'), containers.get('100'), vms.get('101')],
    [known, undefined, undefined],
  );

  rmSync(container);
  const { answer } = hangingFile(t, container);
  pve.write(100, 'name: two\n');
  await containers.refresh();
  await vms.refresh();
  assert.deepEqual([containers.get('101'), vms.get('100')?.name], [known, 'one']);
  assert.match(at('warn')[0] ?? '', /of containers cannot be read, .*101\.conf: no answer within/);
  assert.match(at('warn')[1] ?? '', /of VMs cannot be read, .*the file system still hangs/);
  answer();
  await eventually(async () => (await vms.refresh(), vms.get('100')?.name === 'two'));
});
