// `proxtop --hosts` as it was built, as one calls it: two nodes with a VM each behind real sshds, and what is none.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { Cycle, Row } from '../e2e/program.ts';
import { num, proxtop, PROXTOP, Stream } from '../e2e/program.ts';
import { Lab, missingForLab } from '../lab/lab.ts';
import { missingForSsh, SshLab } from '../lab/ssh-node.ts';

const missing = [...missingForLab(), ...missingForSsh()];
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;

/** The content of a record about a node. */
function nodeOf({ agent }: Cycle, name: string): Row | undefined {
  return (agent['nodes'] as readonly Row[]).find((row) => row['name'] === name);
}

describe('proxtop --hosts', { skip }, () => {
  const labs: Lab[] = [];
  let ssh: SshLab;

  before(async () => {
    ssh = new SshLab();
    for (const name of ['kvm1', 'kvm2']) {
      const lab = Lab.create();
      labs.push(lab);
      await lab.run({ name: `vm-of-${name}`, vmid: 100 });
      await ssh.node(name, `exec ${PROXTOP} --proxmox ${lab.flags().join(' ')} "$@"`);
    }
  });

  after(async () => {
    await ssh.close();
    await Promise.all(labs.map((lab) => lab.close()));
  });

  test('streams what each node measures, and a row for each node', async () => {
    const stream = Stream.start(['--hosts', 'kvm1,root@kvm2,nowhere.invalid']);
    // It runs on none of them: its own records hold the rows of the nodes and nothing else.
    const states = (cycle: Cycle): readonly unknown[] =>
      ['kvm1', 'kvm2', 'nowhere.invalid'].map((name) => nodeOf(cycle, name)?.['state']);
    const wanted = ['up', 'up', 'unreachable'];
    const own = await stream.first(wanted.join(), (cycle) => isDeepStrictEqual(states(cycle), wanted));
    assert.deepEqual(own.domains, []);
    const samples = await Promise.all(
      ['kvm1', 'kvm2'].map((name) =>
        stream.first(`samples of ${name}`, ({ domains }) => domains[0]?.['name'] === `vm-of-${name}`),
      ),
    );
    assert.equal(new Set([own, ...samples].map(({ run }) => run)).size, 3);
    for (const { domains, host } of samples) {
      assert.deepEqual([domains.length, domains[0]?.['vmid']], [1, '100']);
      assert.ok(num(host, 'cpu_user') >= 0);
    }
    for (const name of ['kvm1', 'kvm2']) assert.equal(num(nodeOf(own, name), 'guests'), 1);
    const nowhere = nodeOf(own, 'nowhere.invalid');
    assert.match(nowhere?.['verdict'] as string, /^ssh: Could not resolve hostname nowhere\.invalid/);
    const { code, stderr } = await stream.stop();
    assert.deepEqual([code, stderr], [0, '']);
  });

  test('--runs counts samples of the host that watches', async () => {
    const { code, stdout } = await proxtop(['--hosts', 'kvm1,kvm2', '-p', 'json', '-r', '5']);
    assert.equal(code, 0);
    const cycles = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Cycle);
    const watching = cycles.filter(({ agent }) => (agent['nodes'] as readonly Row[]).length > 0);
    assert.deepEqual(
      watching.map(({ seq }) => seq),
      [1, 2, 3, 4, 5],
    );
    const names = new Set(cycles.flatMap(({ domains }) => domains.map((row) => row['name'])));
    assert.deepEqual([...names].sort(), ['vm-of-kvm1', 'vm-of-kvm2']);
  });
});
