import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { resolveThresholds } from '../../src/config/thresholds.ts';
import { readSamples } from '../../src/recording/recording.ts';
import { blame } from '../../src/tui/analysis/blame.ts';
import type { Contention } from '../../src/tui/analysis/blame.ts';
import { metricOf, textOf, valueOf } from '../../src/tui/values/row-values.ts';
import { why } from '../../src/tui/analysis/why.ts';
import { Lab, missingForLab } from '../lab/lab.ts';
import type { LabVm } from '../lab/vm.ts';
import type { Cycle } from './program.ts';
import { EVERYTHING, Stream, domain } from './program.ts';

const missing = missingForLab();
if (availableParallelism() < 2) missing.push('two CPUs');
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;

/** The CPU that is short, and the one that is only busy. */
const SHORT = 1;
const BUSY = 0;
const CYCLES = 6;

/** What the blame of one sample says, and the sample's values it is compared by. */
interface Told {
  readonly shortages: readonly Contention[];
  readonly culprit: string | undefined;
  readonly victims: readonly string[];
  /** By the name of the VM. */
  readonly steal: ReadonlyMap<string, number>;
  readonly affinity: ReadonlyMap<string, string | undefined>;
  /** What the view would say about the first victim. */
  readonly why: string;
}

/** ns that the vCPU of a VM has waited for a CPU, as awk reads it. */
function waited({ runningPid }: LabVm): number {
  const script = `for task in /proc/${runningPid}/task/*; do
    if grep -q '^CPU 0/' $task/comm; then awk '{ print $2 }' $task/schedstat; fi; done`;
  return Number(execFileSync('sh', ['-c', script], { encoding: 'utf8' }));
}

function pin({ runningPid }: LabVm, cpu: number): void {
  execFileSync('taskset', ['-acp', String(cpu), String(runningPid)]);
}

describe('blame of VMs that share a CPU', { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-blame-'));
  const recording = join(directory, 'recording.msgpack');
  const thresholds = resolveThresholds(new Map());
  let lab: Lab;
  let small: LabVm[];
  /** Percent of the time that each small VM waited, by awk. */
  let waitedShare: Map<string, number>;
  const told: Told[] = [];

  before(async () => {
    lab = Lab.create();
    const hog = await lab.run({ name: 'hog', guest: 'spin', load: 8 });
    small = [
      await lab.run({ name: 'small-1', guest: 'spin', load: 3 }),
      await lab.run({ name: 'small-2', guest: 'spin', load: 3 }),
    ];
    const elsewhere = await lab.run({ name: 'elsewhere', guest: 'spin', load: 8 });
    for (const vm of [hog, ...small]) pin(vm, SHORT);
    pin(elsewhere, BUSY);

    const stream = Stream.start([...lab.flags(), ...EVERYTHING, '--record', recording]);
    const first = await stream.next();
    const from = { time: performance.now(), waited: small.map(waited) };
    await stream.next('the last cycle', ({ seq }) => seq === first.seq + CYCLES);
    const to = { time: performance.now(), waited: small.map(waited) };
    assert.equal((await stream.stop()).code, 0);
    waitedShare = new Map(
      small.map(({ name }, index) => {
        const ns = (to.waited[index] ?? NaN) - (from.waited[index] ?? NaN);
        return [name, ns / 1e4 / (to.time - from.time)];
      }),
    );

    for await (const sample of readSamples(recording, { records: 0 })) {
      if (sample.seq <= first.seq || sample.seq > first.seq + CYCLES) continue;
      const shortages = blame(sample, thresholds);
      const cpu = shortages.find(({ resource, where }) => resource === 'cpu' && where === String(SHORT));
      const victim = cpu?.victims[0];
      told.push({
        shortages,
        culprit: cpu?.culprits[0]?.vm && textOf(cpu.culprits[0].vm.row, 'name'),
        victims: (cpu?.victims ?? []).map(({ vm }) => textOf(vm.row, 'name') ?? ''),
        steal: new Map(
          sample.guests.map(({ row }) => [textOf(row, 'name') ?? '', valueOf(row, 'cpu_steal')]),
        ),
        affinity: new Map(
          sample.guests.map(({ row }) => [textOf(row, 'name') ?? '', textOf(row, 'cpu_affinity')]),
        ),
        why:
          victim === undefined
            ? ''
            : why(metricOf('vm', 'cpu_steal') ?? assert.fail(), victim.vm.row, thresholds, 200).join('\n'),
      });
    }
  });
  after(async () => {
    await lab.close();
    rmSync(directory, { recursive: true });
  });

  test('the spinning VM is named as the culprit, and never the one on another CPU', () => {
    assert.equal(told.length, CYCLES);
    const named = told.filter(({ culprit }) => culprit === 'hog').length;
    assert.ok(named > CYCLES / 2, `hog was named ${named} times of ${CYCLES}`);
    for (const { shortages } of told) {
      const here = shortages.filter(({ where }) => where === String(SHORT));
      const names = here.flatMap(({ culprits }) => culprits.map(({ vm }) => vm && textOf(vm.row, 'name')));
      assert.ok(!names.includes('elsewhere'));
    }
  });

  test('the affinity is what taskset set', () => {
    for (const { affinity } of told) {
      assert.equal(affinity.get('hog'), String(SHORT));
      assert.equal(affinity.get('elsewhere'), String(BUSY));
    }
  });

  test('the VMs beside it are its victims, by the time that awk sees them wait', () => {
    for (const { name } of small) {
      const share = waitedShare.get(name) ?? NaN;
      assert.ok(share > 10, `${name} waited ${share} %`);
      const mean = told.reduce((sum, { steal }) => sum + (steal.get(name) ?? NaN), 0) / told.length;
      assert.ok(Math.abs(mean - share) < 5, `${name}: cpu_steal ${mean}, awk ${share}`);
      const times = told.filter(({ victims }) => victims.includes(name)).length;
      assert.ok(times > CYCLES / 2, `${name} was a victim ${times} times of ${CYCLES}`);
    }
  });

  test('why explains the value of a victim', () => {
    const explained = told.find((each) => each.why !== '')?.why;
    assert.match(explained ?? '', /^now +\d+\.\d%: (yellow|red)$/m);
    assert.match(explained ?? '', /key b shows who runs most/);
  });
});

describe('blame of VMs that share a storage', { skip }, () => {
  test('the VM with most operations is named beside those with latency', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'proxtop-blame-'));
    const recording = join(directory, 'recording.json');
    const lab = Lab.create();
    try {
      const disks = [{ interface: 'scsi', size: 16 << 20, shape: 'drive' }] as const;
      const light = await lab.run({ name: 'light', guest: 'disk', load: 1, disks });
      const heavy = await lab.run({ name: 'heavy', guest: 'disk', load: 20, disks });
      const flags = ['--disk', '--devices', '--detail-interval', '1', '--record', recording];
      const stream = Stream.start([...lab.flags(), ...flags]);
      const reads = (cycle: Cycle, vm: LabVm): number => Number(domain(cycle, vm)?.['disk_reads']);
      const { seq } = await stream.next(
        'both guests have booted and work',
        (cycle) => reads(cycle, light) > 0 && reads(cycle, heavy) > 6 * reads(cycle, light),
      );
      assert.equal((await stream.stop()).code, 0);
      // No lab can promise a slow disk: here any latency makes a victim.
      const thresholds = resolveThresholds(
        new Map(['disk_lat_avg'].map((id) => [id, { text: '0.0001/0.001', origin: 'test' }])),
      );
      let shortages: readonly Contention[] = [];
      for await (const sample of readSamples(recording, { records: 0 }))
        if (sample.seq === seq) shortages = blame(sample, thresholds);
      const [shortage] = shortages.filter(({ resource }) => resource === 'disk');
      assert.equal(shortage?.where, 'lab');
      assert.deepEqual(shortage.victims.map(({ vm, device }) => [textOf(vm.row, 'name'), device]).sort(), [
        ['heavy', 'scsi0'],
        ['light', 'scsi0'],
      ]);
      const [culprit] = shortage.culprits;
      assert.equal(culprit?.vm && textOf(culprit.vm.row, 'name'), 'heavy');
      assert.ok((culprit?.share ?? 0) > 80, `share ${culprit?.share}`);
    } finally {
      await lab.close();
      rmSync(directory, { recursive: true });
    }
  });
});
