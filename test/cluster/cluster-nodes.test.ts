// Who is in the cluster and where its guests are, from files as pmxcfs writes them, and as nobody should.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { readCluster, readGuestNodes } from '../../src/cluster/cluster-nodes.ts';
import { sshArguments } from '../../src/cluster/ssh/ssh-command.ts';
import { PveFiles } from '../../src/guests/proxmox/pve-files.ts';
import { defaultRoots, Paths } from '../../src/kernel/base/paths.ts';

/** As pmxcfs 9.1 writes it, with tabs and line breaks (status.c, cfs_create_memberlist_msg). */
const members = `{
"nodename": "pve1",
"version": 7,
"cluster": { "name": "farm", "version": 3, "nodes": 3, "quorate": 1 },
"nodelist": {
  "pve1": { "id": 1, "online": 1, "ip": "192.0.2.1"},
  "pve2": { "id": 2, "online": 1, "ip": "2001:db8::2"},
  "pve3": { "id": 3, "online": 0}
  }
}
`;
/** As status.c, cfs_create_vmlist_msg. */
const vmlist = `{
"version": 12,
"ids": {
"100": { "node": "pve1", "type": "qemu", "version": 5 },
"9101": { "node": "pve3", "type": "lxc", "version": 9 }}

}
`;

/** The files of a directory like /etc/pve. */
function pve(t: TestContext, contents: Readonly<Record<string, string | Buffer>>) {
  const pvedir = mkdtempSync(join(tmpdir(), 'proxtop-pve-'));
  t.after(() => {
    rmSync(pvedir, { recursive: true });
  });
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(pvedir, name)), { recursive: true });
    writeFileSync(join(pvedir, name), text);
  }
  const paths = new Paths({ ...defaultRoots, pvedir });
  return { files: new PveFiles(paths), paths, pvedir };
}

test('the other nodes are reached as root, by address or name, with the key that the cluster has of them', async (t) => {
  const { files, paths, pvedir } = pve(t, {
    '.members': members,
    '.vmlist': vmlist,
    'nodes/pve2/ssh_known_hosts': 'pve2 ssh-rsa AAAA\n',
  });
  const cluster = await readCluster(files, paths);
  assert.deepEqual([cluster?.self, cluster?.cluster, cluster?.quorate], ['pve1', 'farm', true]);
  assert.deepEqual(
    cluster?.nodes.map(({ name, online }) => [name, online]),
    [
      ['pve1', true],
      ['pve2', true],
      ['pve3', false],
    ],
  );
  assert.deepEqual(cluster.others, [
    {
      name: 'pve2',
      user: 'root',
      host: '2001:db8::2',
      member: { knownHosts: join(pvedir, 'nodes/pve2/ssh_known_hosts') },
    },
    { name: 'pve3', user: 'root', host: 'pve3', member: { knownHosts: undefined } },
  ]);
  assert.deepEqual(
    [...((await readGuestNodes(files, paths)) ?? [])],
    [
      ['100', 'pve1'],
      ['9101', 'pve3'],
    ],
  );
});

test('outside of a cluster there is nobody else, and outside of Proxmox VE nothing to read', async (t) => {
  const alone = pve(t, { '.members': '{\n"nodename": "pve1",\n"version": 1\n}\n' });
  assert.deepEqual((await readCluster(alone.files, alone.paths))?.others, []);
  const none = pve(t, {});
  assert.equal(await readCluster(none.files, none.paths), undefined);
  assert.equal(await readGuestNodes(none.files, none.paths), undefined);
  // What is there and cannot be read is an error: of that nobody knows.
  const odd = pve(t, { '.members/x': '', '.vmlist/x': '' });
  await assert.rejects(readCluster(odd.files, odd.paths), /EISDIR/);
  await assert.rejects(readGuestNodes(odd.files, odd.paths), /EISDIR/);
});

test('what is no list of members is an error that names the file; a file cut anywhere does no harm', async (t) => {
  const bad = ['', '{', '[]', 'null', '{"nodename":7}', '{"nodename":"-oProxyCommand=x"}', '\0'.repeat(100)];
  for (const text of [...bad, `${members}${' '.repeat(1 << 20)}`]) {
    const { files, paths } = pve(t, { '.members': text });
    await assert.rejects(readCluster(files, paths), /\.members: expected the members of a cluster/);
  }
  for (let length = 0; length < members.trimEnd().length; length += 7) {
    const { files, paths } = pve(t, {
      '.members': members.slice(0, length),
      '.vmlist': vmlist.slice(0, Math.min(length, vmlist.trimEnd().length - 1)),
    });
    await assert.rejects(readCluster(files, paths), /\.members/);
    assert.equal(await readGuestNodes(files, paths), undefined);
  }
});

test('no name or address of a member becomes an option of ssh, another host, or another file', async (t) => {
  const odd = [
    '-oProxyCommand=x',
    '-l',
    'a b',
    'a\nb',
    '../../root',
    '..',
    '',
    'a/b',
    'a%b',
    'a.b',
    'ü',
    '$(x)',
    'x'.repeat(64),
    '__proto__',
    'constructor',
  ];
  const nodelist = [
    ...odd.map((name) => `${JSON.stringify(name)}: {"id": 9, "online": 1, "ip": "192.0.2.9"}`),
    // Of one that is there twice JSON has the last.
    '"pve2": {"id": 2, "online": 1, "ip": "192.0.2.2"}',
    '"pve2": {"id": 2, "online": 1, "ip": "192.0.2.22"}',
    // Two of one number and address are two names, and ssh tells their keys apart.
    '"pve3": {"id": 2, "online": 1, "ip": "192.0.2.22"}',
    ...['-oProxyCommand=x', 'pve9 -l x', '192.0.2.1;x', 'fe80::1%-x', '', '1', 7, null, {}].map(
      (ip, index) => `"odd${index}": {"id": 5, "online": "yes", "ip": ${JSON.stringify(ip)}}`,
    ),
    '"none": null',
    '"list": []',
  ];
  const { files, paths } = pve(t, {
    '.members': `{"nodename": "pve1", "nodelist": {${nodelist.join()}}}`,
  });
  const { others = [], quorate } = (await readCluster(files, paths)) ?? {};
  assert.equal(quorate, false);
  const byName = new Map(others.map((each) => [String(each.name), each.host]));
  assert.deepEqual([byName.get('pve2'), byName.get('pve3')], ['192.0.2.22', '192.0.2.22']);
  assert.equal(byName.size, others.length);
  for (const other of others) {
    assert.match(other.name, /^[a-z0-9][a-z0-9-]*$/);
    assert.ok([other.name, '192.0.2.22', '192.0.2.9'].includes(other.host), other.host);
    const words = sshArguments(other);
    const end = words.indexOf('--');
    assert.equal(words[end + 1], other.host);
    assert.ok(!words.slice(0, end).some((word) => /ProxyCommand/.test(word)));
  }
  // Names are the own properties of an object, and no more.
  assert.ok(!byName.has('__proto__'));
});

test('where guests are: odd entries are left out, and so is what no cluster has', async (t) => {
  const ids = [
    '"100": {"node": "pve1", "type": "qemu"}',
    '"100": {"node": "pve2", "type": "qemu"}',
    ...['0', '99', '-1', '1e3', '0100', '1234567890', '__proto__', ' 101', '../1'].map(
      (vmid) => `${JSON.stringify(vmid)}: {"node": "pve1"}`,
    ),
    ...['-oProxyCommand=x', '../pve1', '', 'a.b'].map(
      (name, index) => `"20${index}": {"node": ${JSON.stringify(name)}}`,
    ),
    '"300": null',
    '"301": {}',
    '"302": "pve1"',
  ];
  const { files, paths } = pve(t, { '.vmlist': `{"version": 1, "ids": {${ids.join()}}}` });
  assert.deepEqual([...((await readGuestNodes(files, paths)) ?? [])], [['100', 'pve2']]);
  const many = Array.from({ length: 120_000 }, (_, index) => `"${100 + index}":{"node":"pve1"}`);
  const large = pve(t, { '.vmlist': `{"ids":{${many.join()}}}` });
  assert.equal((await readGuestNodes(large.files, large.paths))?.size, 100_000);
  for (const text of ['', '[]', '{"ids": 7}', '{}', '{"ids":{"100":']) {
    const bad = pve(t, { '.vmlist': text });
    assert.equal(await readGuestNodes(bad.files, bad.paths), undefined, text);
  }
});
