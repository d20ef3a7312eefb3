import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../delivery/helpers.ts';
import { ChaosDisk } from '../e2e/chaos-disk.ts';
import type { Cycle } from '../e2e/program.ts';
import type { GuestRows } from '../../src/sampling/sample.ts';
import { row, vmRows } from '../formats/sample.ts';
import {
  filesIn,
  HOUR,
  linesIn,
  MINUTE,
  place,
  read,
  record,
  sample,
  start,
  upTo,
  writer,
} from './helpers.ts';

test('a file for each hour, in UTC, that any gzip can read; other users have no access', async (t) => {
  const directory = place(t);
  await record(directory, 5);
  assert.deepEqual(filesIn(directory), ['000001-20261128T0258Z.jsonl.gz', '000002-20261128T0300Z.jsonl.gz']);
  const lines = filesIn(directory).flatMap((name) => linesIn(join(directory, name)));
  assert.deepEqual(
    lines.map(({ seq }) => seq),
    upTo(30),
  );
  assert.equal(statSync(directory).mode & 0o777, 0o750);
  assert.equal(statSync(join(directory, filesIn(directory)[0] ?? '')).mode & 0o777, 0o640);
  assert.deepEqual(await read(directory), { seqs: upTo(30), skipped: 0 });
});

test('means with peaks and devices, three digits; a sample is never waited for', async (t) => {
  const directory = place(t);
  const { writer: history } = writer(directory);
  for (let second = 1; second <= 20; second++)
    history.write(sample(start + second * 1000, second, { interval: 1 }));
  await history.close(60_000);
  const [name = ''] = filesIn(directory);
  const lines = linesIn(join(directory, name)) as unknown as readonly Cycle[];
  const first = lines[0];
  const vm = first?.domains[0];
  assert.equal(first?.interval, 10);
  assert.deepEqual(
    [vm?.['cpu_total'], vm?.['cpu_total_peak'], vm?.disks?.[0]?.['disk_reads']],
    [5.5, 10, 55],
  );
});

test('what is for experts and judges nothing is not kept, nor a peak that is as large as its mean', async (t) => {
  const directory = place(t);
  const { writer: history } = writer(directory);
  const vm = vmRows(
    row('vm', {
      UUID: 'u1',
      pid: '1',
      cpu_steal: 12.3456,
      cpu_total: 100,
      cpu_throttled: 7,
      psi_full_mem_avg10: 0.012345,
      io_rchar: 1234567,
      cpu_other_busiest: 'kvm',
      io_read_ops: 1234567,
      ram_total: 1234567890,
      detail_age: 3.21,
    }),
  );
  history.write(sample(start + 10_000, 1, { guests: [vm] }));
  await history.close(60_000);
  const [line] = linesIn(join(directory, filesIn(directory)[0] ?? '')) as unknown as readonly Cycle[];
  const { vcpus, disks, nics, ...own } = line?.domains[0] ?? {};
  assert.deepEqual(own, {
    UUID: 'u1',
    pid: '1',
    cpu_steal: 12.3,
    cpu_total: 100,
    cpu_throttled: 7,
    psi_full_mem_avg10: 0.01,
    cpu_other_busiest: 'kvm',
    io_read_ops: 1230000,
    ram_total: 1234567890,
  });
});

test('percentages to a tenth, small ones to a hundredth but never to 0; their peaks to a tenth, of latencies with two digits', async (t) => {
  const directory = place(t);
  const { writer: history } = writer(directory);
  const of = (steal: number, total: number, other: number, latency: number): GuestRows =>
    vmRows(
      row('vm', {
        UUID: 'u1',
        cpu_steal: steal,
        cpu_total: total,
        cpu_other_total: other,
        disk_lat_avg: latency,
        disk_reads: 1,
      }),
    );
  history.write(sample(start + 5_000, 1, { interval: 5, guests: [of(1.234, 743.21, 0.1234, 0.18)] }));
  history.write(sample(start + 10_000, 2, { interval: 5, guests: [of(1.26, 745.9, 0.1236, 0.20468)] }));
  history.write(sample(start + 20_000, 3, { interval: 10, guests: [of(0.0012, 56.78, 0.06, 12.345)] }));
  await history.close(60_000);
  const lines = linesIn(join(directory, filesIn(directory)[0] ?? '')) as unknown as readonly Cycle[];
  const told = lines.map(({ domains: [vm = {}] }) =>
    Object.fromEntries(Object.entries(vm).filter(([id]) => /^(cpu|disk_lat)/.test(id))),
  );
  // Of what is left some peaks are not above their means.
  assert.deepEqual(told, [
    {
      cpu_steal: 1.2,
      cpu_steal_peak: 1.3,
      cpu_total: 745,
      cpu_total_peak: 746,
      cpu_other_total: 0.12,
      disk_lat_avg: 0.192,
      disk_lat_avg_peak: 0.2,
    },
    { cpu_steal: 0.001, cpu_total: 56.8, cpu_other_total: 0.06, disk_lat_avg: 12.3 },
  ]);
});

const skipMount = process.geteuid?.() !== 0 && 'needs root, for mount';

test(
  'a disk that becomes read-only is told once, can be mended, and is written to again',
  { skip: skipMount },
  async (t) => {
    const mounted: ChaosDisk[] = [];
    t.after(() => {
      for (const each of mounted) each.remove();
    });
    const directory = place(t);
    mkdirSync(directory, { recursive: true });
    const disk = new ChaosDisk(directory, 8);
    mounted.push(disk);
    const { writer: history, log } = writer(directory);
    let minute = 0;
    const write = (): void => {
      minute++;
      for (let at = 0; at < 6; at++)
        history.write(sample(start + minute * MINUTE + at * 10_000 + 2, minute * 6 + at));
    };
    write();
    write();
    await until(() => history.status.end !== undefined, 'a minute');
    disk.become('aborted');
    write();
    await until(() => history.status.trouble !== undefined, 'a complaint');
    assert.match(history.status.trouble ?? '', /EROFS|read-only/);
    // What it has open there would keep the disk from being mended.
    disk.become('good');
    write();
    write();
    await until(() => history.status.trouble === undefined, 'it goes on');
    await history.close(60_000);
    assert.match(
      log.at('warn').join('\n'),
      /^the history cannot be written: .*EROFS.*; retrying every minute$/,
    );
    assert.deepEqual(log.at('info'), ['the history is written again; 0 minutes are lost']);
    assert.deepEqual((await read(directory)).seqs, upTo(minute * 6 + 5, 6));
  },
);

test('every run begins a file of its own, whatever a crash has left', async (t) => {
  const directory = place(t);
  await record(directory, 1);
  const [torn = ''] = filesIn(directory);
  const path = join(directory, torn);
  writeFileSync(path, readFileSync(path).subarray(0, -20));
  await record(directory, 1, { from: start + MINUTE, seq: 100, run: 'second' });
  assert.equal(filesIn(directory).length, 2);
  assert.equal(statSync(path).size > 0, true);
  assert.deepEqual((await read(directory)).seqs, upTo(105, 100));
});

test('a clock that is set back begins another file, and the order of arrival stays', async (t) => {
  const directory = place(t);
  const { writer: history } = writer(directory);
  const times = [0, 1, 2].map((minute) => start + minute * MINUTE);
  const again = times.map((time) => time - 30_000);
  for (const [index, time] of [...times, ...again].entries()) history.write(sample(time, index + 1));
  await history.close(60_000);
  assert.deepEqual((await read(directory)).seqs, upTo(6));
  assert.deepEqual(
    filesIn(directory).map((name) => name.slice(0, 21)),
    ['000001-20261128T0258Z', '000002-20261128T0300Z', '000003-20261128T0257Z'],
  );
});

test('the oldest files make room, for age and for size', async (t) => {
  const directory = place(t);
  const now = Math.floor(Date.now() / MINUTE) * MINUTE;
  await record(directory, 1, { from: now - 70 * HOUR });
  await record(directory, 1, { from: now - 60 * HOUR });
  await record(directory, 1, { from: now - 2 * HOUR, seq: 100, settings: { keep: 86_400 } });
  assert.equal(filesIn(directory).length, 2, 'one at a time, as the clock may be wrong');
  await record(directory, 1, { from: now - HOUR, seq: 200, settings: { keep: 86_400 } });
  assert.deepEqual((await read(directory)).seqs, [...upTo(105, 100), ...upTo(205, 200)]);
  const size = statSync(join(directory, filesIn(directory)[0] ?? '')).size;
  await record(directory, 1, { from: now, seq: 300, settings: { maxBytes: Math.floor(size * 2.2) } });
  assert.deepEqual((await read(directory)).seqs, [...upTo(205, 200), ...upTo(305, 300)]);
});

test('files of the future do not keep older ones from going', async (t) => {
  const directory = place(t);
  const now = Math.floor(Date.now() / MINUTE) * MINUTE;
  await record(directory, 1, { from: now + 1000 * HOUR });
  await record(directory, 1, { from: now - 100 * HOUR, seq: 50 });
  await record(directory, 1, { from: now, seq: 100, settings: { keep: 86_400 } });
  await record(directory, 1, { from: now + MINUTE, seq: 200, settings: { keep: 86_400 } });
  assert.deepEqual((await read(directory)).seqs, [...upTo(105, 100), ...upTo(205, 200)]);
});

test('two instances: the second one says so and writes nothing', async (t) => {
  const directory = place(t);
  // Another process, as a lock of this one would be waited for.
  const { spawn } = await import('node:child_process');
  const program = `
    const { DirectoryLock } = await import(${JSON.stringify(new URL('../../src/delivery/ledger/spool/lock.ts', import.meta.url).href)});
    await DirectoryLock.take(${JSON.stringify(directory)});
    console.log('taken');
    setInterval(() => undefined, 1000);`;
  mkdirSync(directory);
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program]);
  t.after(() => child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const { writer: history, log } = writer(directory);
  history.write(sample(start, 1));
  await history.close(60_000);
  assert.deepEqual(filesIn(directory), []);
  assert.match(
    history.status.trouble ?? '',
    new RegExp(`is written by another proxtop, process ${child.pid}`),
  );
  assert.equal(log.at('warn').filter((line) => line.includes('history')).length, 1);
});

test('data that cannot be written waits, is reported once, and is written later', async (t) => {
  const directory = place(t);
  writeFileSync(directory, 'in its way');
  const { writer: history, log } = writer(directory);
  for (const minute of [0, 1, 2]) history.write(sample(start + minute * MINUTE, minute + 1));
  await until(() => history.status.trouble !== undefined, 'trouble');
  rmSync(directory);
  history.write(sample(start + 3 * MINUTE, 4));
  await history.close(60_000);
  assert.deepEqual((await read(directory)).seqs, upTo(4));
  assert.equal(log.at('warn').length, 1);
  assert.match(log.at('info').join(), /the history is written again; 0 minutes are lost/);
});

test('a minute that cannot be packed is lost, and the next one is written', async (t) => {
  const directory = place(t);
  const { writer: history, log } = writer(directory);
  // No member can say a time before 1970.
  history.write(sample(-30_000, 1));
  history.write(sample(start, 2));
  history.write(sample(start + MINUTE, 3));
  await history.close(60_000);
  assert.deepEqual((await read(directory)).seqs, [2, 3]);
  assert.equal(history.status.lost, 1);
  assert.match(log.at('warn').join(), /the history cannot be written: .*range/);
  assert.match(log.at('info').join(), /the history is written again; 1 minute is lost/);
});

test('a directory that others may write to is refused', async (t) => {
  const directory = place(t);
  mkdirSync(directory);
  chmodSync(directory, 0o777);
  const { writer: history } = writer(directory);
  history.write(sample(start, 1));
  await history.close(60_000);
  assert.match(history.status.trouble ?? '', /other users can write to/);
});
