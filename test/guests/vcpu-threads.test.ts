import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { markVcpus } from '../../src/guests/qemu/vcpu-threads.ts';
import { Process } from '../../src/kernel/process/process.ts';
import { Tree } from '../collectors/support.ts';

/** A process, made up so that it has the threads of any QEMU. */
function process(t: TestContext, threads: readonly string[]): Process {
  const tree = new Tree(t);
  tree.process(100, threads);
  const opened = Process.open(tree.paths, 100)!;
  t.after(() => {
    opened.close();
  });
  return opened;
}

const vcpus = ({ threads }: Process): (number | undefined)[] =>
  [...threads].sort((a, b) => a.tid - b.tid).map(({ vcpu }) => vcpu);

test('threads that QEMU named, with KVM and without', (t) => {
  const qemu = process(t, [
    'kvm',
    'CPU 0/KVM',
    'CPU 10/TCG',
    'IO iothread-vir',
    'vhost-100',
    'CPU x/KVM',
    'worker',
  ]);
  assert.equal(markVcpus(qemu), 2);
  assert.deepEqual(vcpus(qemu), [undefined, 0, 10, undefined, undefined, undefined, undefined]);
});

test('threads without names are told by QMP', (t) => {
  const qemu = process(t, ['kvm', 'kvm', 'kvm', 'kvm']);
  assert.equal(markVcpus(qemu), 0);
  const answer = new Map([
    [101, 0],
    [103, 1],
    [999, 2],
  ]);
  assert.equal(markVcpus(qemu, answer), 2);
  assert.deepEqual(vcpus(qemu), [undefined, 0, undefined, 1]);
  assert.equal(markVcpus(qemu), 0, 'what is no longer known is unmarked');
});
