import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { Lab, missingForLab } from '../lab/lab.ts';
import type { LabVm } from '../lab/vm.ts';
import type { Cycle, Row } from './program.ts';
import { EVERYTHING, Stream, domain, num } from './program.ts';

const missing = missingForLab();
if (availableParallelism() < 2) missing.push('two CPUs');
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;

/** The CPU that is short, and the one that is only busy. */
const SHORT = 1;
const BUSY = 0;

/** A lab that ends with its test. */
function newLab(t: TestContext): Lab {
  const lab = Lab.create();
  t.after(() => lab.close());
  return lab;
}

function start(t: TestContext, lab: Lab): Stream {
  const stream = Stream.start([...lab.flags(), ...EVERYTHING, '--detail-interval', '2']);
  t.after(() => stream.stop());
  return stream;
}

/** What a cycle says is wrong by a rule. */
function verdicts({ agent }: Cycle, rule: string): readonly Row[] {
  return (agent['verdicts'] as readonly Row[]).filter((row) => row['rule'] === rule);
}

function texts(cycle: Cycle, rule: string): string[] {
  return verdicts(cycle, rule).map(({ text }) => text as string);
}

function pin({ runningPid }: LabVm, cpu: number): void {
  execFileSync('taskset', ['-acp', String(cpu), String(runningPid)]);
}

/** ns that the vCPU of a VM has waited for a CPU, as awk reads it. */
function waited({ runningPid }: LabVm): number {
  const script = `for task in /proc/${runningPid}/task/*; do
    if grep -q '^CPU 0/' $task/comm; then awk '{ print $2 }' $task/schedstat; fi; done`;
  return Number(execFileSync('sh', ['-c', script], { encoding: 'utf8' }));
}

describe('verdicts of real VMs', { skip }, () => {
  test('VMs that share a CPU: the one that takes most is named, and never the one on another CPU', async (t) => {
    const lab = newLab(t);
    const hog = await lab.run({ name: 'hog', guest: 'spin', load: 8 });
    const small = await lab.run({ name: 'small', guest: 'spin', load: 2 });
    const elsewhere = await lab.run({ name: 'elsewhere', guest: 'spin', load: 8 });
    for (const vm of [hog, small]) pin(vm, SHORT);
    pin(elsewhere, BUSY);
    const stream = start(t, lab);
    const from = await stream.next('the affinity is seen', (cycle) =>
      [hog, small].every((vm) => domain(cycle, vm)?.['cpu_affinity'] === String(SHORT)),
    );
    const before = { time: performance.now(), waited: [hog, small].map(waited) };
    const cycle = await stream.next('CPU 1 is short', (each) =>
      verdicts(each, 'cpu-short').some(({ subject }) => subject === `CPU ${SHORT}`),
    );
    const after = { time: performance.now(), waited: [hog, small].map(waited) };
    // The verdict is true, by the time that awk sees them wait.
    const ms = after.time - before.time;
    const shares = after.waited.map((ns, at) => (ns - (before.waited[at] ?? NaN)) / 1e4 / ms);
    assert.ok(
      shares.some((share) => share > 8),
      `waited ${shares.join(' and ')} %`,
    );
    for (const each of stream.between(from, cycle))
      for (const text of texts(each, 'cpu-short').filter((found) => found.includes('on CPU 1')))
        assert.ok(!text.includes('elsewhere'), text);
    const named = await stream.next('the hog is named', (each) =>
      texts(each, 'cpu-short').some((text) => /: .*hog \d+ %/.test(text)),
    );
    assert.match(texts(named, 'cpu-short').join('\n'), /RDY .* on CPU 1: /);
  });

  test('a disk at its own limit: the limit is told, and the neighbour on the same storage is not named', async (t) => {
    const lab = newLab(t);
    const disks = [{ interface: 'scsi', size: 16 << 20, shape: 'blockdev' }] as const;
    const limited = await lab.run({ name: 'limited', guest: 'disk', load: 20, disks });
    const neighbour = await lab.run({ name: 'neighbour', guest: 'disk', load: 20, disks });
    // Before proxtop looks: it asks for limits again when that costs the VM little, which can take minutes.
    await lab.qmp(limited, 'qom-set', {
      path: '/objects/throttle-drive-scsi0',
      property: 'limits',
      value: { 'iops-total': 10 },
    });
    const stream = start(t, lab);
    await stream.next('both work', (cycle) =>
      [limited, neighbour].every((vm) => Number(domain(cycle, vm)?.['disk_reads']) > 1),
    );
    const cycle = await stream.next('the limit is told', (each) => texts(each, 'disk-limit').length > 0);
    const [text = ''] = texts(cycle, 'disk-limit');
    assert.match(text, /^\d+ limited LAT [\d.]+ ms: own limit of 10 IOPS reached/);
    assert.ok(num(domain(cycle, limited), 'disk_lat_avg') > 15, text);
    assert.ok(!text.includes('neighbour'));
    assert.deepEqual(texts(cycle, 'disk-slow'), []);
    await lab.qmp(limited, 'qom-set', {
      path: '/objects/throttle-drive-scsi0',
      property: 'limits',
      value: { 'iops-total': 0 },
    });
    const ended = await stream.next('it has ended', (each) =>
      verdicts(each, 'disk-limit').some(({ state }) => state === 'ended'),
    );
    const next = await stream.next();
    assert.ok(next.seq > ended.seq);
    assert.deepEqual(verdicts(next, 'disk-limit'), [], 'it is told once that it has ended');
  });

  test('a VM that hangs is told by its monitor, and no more when it answers', async (t) => {
    const lab = newLab(t);
    const vm = await lab.run({ name: 'stuck', guest: 'spin', load: 1 });
    await lab.run({ name: 'fine', guest: 'spin', load: 1 });
    await lab.run({ name: 'fine-too', guest: 'spin', load: 1 });
    const stream = start(t, lab);
    await stream.next('all answer', ({ domains }) => domains.every(({ state }) => state === 'running'));
    await lab.suspendProcess(vm);
    t.after(() => lab.resumeProcess(vm));
    const cycle = await stream.next('it hangs', (each) => texts(each, 'hung').length > 0);
    const [verdict] = verdicts(cycle, 'hung');
    assert.match(verdict?.['text'] as string, /^\d+ stuck does not answer for \d+ s$/);
    assert.deepEqual([verdict?.['state'], verdict?.['class'], verdict?.['age']], ['begins', 1, 0]);
    assert.ok(num(domain(cycle, vm), 'qmp_age') >= 10);
    await lab.resumeProcess(vm);
    await stream.next('it answers', (each) => verdicts(each, 'hung').some(({ state }) => state === 'ended'));
  });
});
