import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { IntervalPrinter } from '../../src/delivery/aggregation/interval-printer.ts';
import { ClusterRecording } from '../../src/cluster/cluster-recording.ts';
import type { ClusterSample } from '../../src/cluster/cluster-sample.ts';
import { Gathering } from '../../src/cluster/gathering.ts';
import { Merger } from '../../src/cluster/merge.ts';
import { createPrinter } from '../../src/formats/index.ts';
import { Recording } from '../../src/recording/recording.ts';
import type { Sample } from '../../src/sampling/sample.ts';
import { settings } from '../formats/sample.ts';
import { guest, hostSample, ToldSource } from './nodes.ts';

const directory = mkdtempSync(join(tmpdir(), 'proxtop-cluster-'));
after(() => {
  rmSync(directory, { recursive: true });
});

/** What became of the samples of pve1, which is this host, pve2 and pve3. */
function gathered(): {
  gathering: Gathering;
  pve2: ToldSource;
  pve3: ToldSource;
  handed: Sample[];
  shown: ClusterSample[];
  tick: (seq: number) => void;
} {
  const [pve1, pve2, pve3] = ['pve1', 'pve2', 'pve3'].map((name) => new ToldSource(name)) as [
    ToldSource,
    ToldSource,
    ToldSource,
  ];
  const gathering = new Gathering([pve1, pve2, pve3], pve1, 1);
  const handed: Sample[] = [];
  const shown: ClusterSample[] = [];
  gathering.begin({ hand: (sample) => handed.push(sample), show: (cluster) => shown.push(cluster) });
  const tick = (seq: number): void => {
    handed.push(gathering.tick(hostSample('pve1', seq, [guest('a')])));
  };
  return { gathering, pve2, pve3, handed, shown, tick };
}

test('samples go on as they come, and all nodes are shown when each that streams has told', async () => {
  const { gathering, pve2, pve3, handed, shown, tick } = gathered();
  pve2.tell(hostSample('pve2', 7));
  pve3.fail('ssh: no route to host');
  assert.equal(handed.length, 0, 'nothing before the first tick');
  tick(1);
  assert.equal(shown.length, 0, 'pve2 has not told yet');
  pve2.tell(hostSample('pve2', 8, [guest('b'), guest('c')]));
  assert.deepEqual(
    handed.map(({ run, seq }) => [run, seq]),
    [
      ['run-pve1', 1],
      ['run-pve2', 8],
    ],
  );
  assert.equal(shown.length, 1);
  const merged = new Merger().merge(shown[0] as ClusterSample);
  assert.deepEqual(
    merged.guests.map(({ node }) => node.name),
    ['pve1', 'pve2', 'pve2'],
  );
  assert.deepEqual(merged.complaints, ['pve3: ssh: no route to host, for 12 s']);
  await gathering.settled();
  await gathering.close();
});

test('a tick waits for a silent node no longer than a part of its interval', async () => {
  const { gathering, pve2, pve3, shown, tick } = gathered();
  pve2.tell(hostSample('pve2', 7));
  pve3.fail('ssh: no route to host');
  tick(1);
  await gathering.settled();
  assert.equal(shown.length, 1, 'although pve2 did not tell');
  await gathering.close();
});

test('a clock that is off is told, and changes nothing of what belongs together', () => {
  const { gathering, pve2, pve3, shown, tick } = gathered();
  pve3.fail('no answer');
  pve2.tell(hostSample('pve2', 7));
  tick(1);
  pve2.tell(hostSample('pve2', 8_000), 7_999_000);
  const { complaints, time } = new Merger().merge(shown[0] as ClusterSample);
  assert.deepEqual(complaints[0], 'pve2: its clock is 2 h ahead of the clock of this host');
  assert.equal(time, hostSample('pve1', 1).time);
  return gathering.close();
});

/** Three seconds of pve1 and pve2 while pve3 is down, as a stream. */
function stream(): readonly Sample[] {
  const { pve2, pve3, handed, tick } = gathered();
  pve3.fail('ssh: no route to host');
  pve2.tell(hostSample('pve2', 6));
  for (const seq of [1, 2, 3]) {
    tick(seq);
    pve2.tell(hostSample('pve2', 6 + seq, [guest('b')]));
  }
  return handed;
}

test('a recording of them is played as it was seen', async () => {
  for (const printer of ['json', 'msgpack'] as const) {
    const path = join(directory, printer);
    const print = createPrinter(printer, settings);
    // As they are printed: rows are filled again by the next tick.
    writeFileSync(path, Buffer.concat(stream().flatMap((sample) => print.print(sample))));
    const recording = await Recording.open(path);
    const cluster = await ClusterRecording.of(recording);
    assert.ok(cluster);
    for (const index of [0, 2, 1]) {
      const moment = await cluster.at(index);
      assert.ok(moment);
      assert.equal(moment.time, hostSample('pve1', index + 1).time);
      const told: readonly unknown[] = moment.nodes.map(({ name, sample }) => [name, sample?.seq]);
      assert.deepEqual(told, [
        ['pve1', index + 1],
        ['pve2', index + 7],
        ['pve3', undefined],
      ]);
      const { guests, complaints } = new Merger().merge(moment);
      assert.deepEqual(
        guests.map((each) => each.node.name),
        ['pve1', 'pve2'],
      );
      assert.deepEqual(complaints, ['pve3: ssh: no route to host, for 12 s']);
    }
    assert.equal(await cluster.has(3), false);
    await recording.close();
  }
});

test('a recording of one host that was started again is none of several', async () => {
  const path = join(directory, 'one');
  const print = createPrinter('json', settings);
  const samples = [hostSample('pve1', 1), { ...hostSample('pve1', 1), run: 'again' }];
  writeFileSync(path, Buffer.concat(samples.flatMap((sample) => print.print(sample))));
  const recording = await Recording.open(path);
  assert.equal(await ClusterRecording.of(recording), undefined);
  await recording.close();
});

test('esxtop has the columns of all nodes in a line for each tick', () => {
  const print = createPrinter('esxtop', settings);
  const lines = Buffer.concat([
    ...stream().flatMap((sample) => print.print(sample)),
    ...(print.end?.() ?? []),
  ])
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(1, -1).split('","'));
  assert.equal(lines.length, 4);
  const [header = []] = lines;
  for (const host of ['pve1', 'pve2']) {
    const at = header.indexOf(`\\\\${host}\\Physical Cpu(_Total)\\% Util Time`);
    assert.deepEqual(
      lines.slice(1).map((line) => line[at]),
      ['30', '30', '30'],
    );
  }
  assert.ok(lines.every(({ length }) => length === header.length));
});

test('means over an interval are of one host', () => {
  const print = new IntervalPrinter(createPrinter('json', settings), 3);
  const records = [...stream().flatMap((sample) => print.print(sample)), ...print.end()];
  const hosts = records.map((record) => {
    const { host, domains } = JSON.parse(record.toString()) as {
      host: { host_name: string };
      domains: { name: string }[];
    };
    return [host.host_name, ...domains.map(({ name }) => name)].join(' ');
  });
  assert.deepEqual([...new Set(hosts)].sort(), ['pve1 vm-a', 'pve2 vm-b']);
});

test('lines of text say which host they are of', () => {
  const print = createPrinter('text', settings);
  const lines = Buffer.concat(stream().flatMap((sample) => print.print(sample)))
    .toString()
    .split('\n');
  const vms = lines.filter((line) => line.startsWith('vm\t')).map((line) => line.split('\t')[2]);
  assert.deepEqual([...new Set(vms)].sort(), ['host_name', 'pve1', 'pve2']);
});
