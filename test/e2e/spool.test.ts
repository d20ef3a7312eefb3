// What waits on disk and no output takes, and `proxtop spool`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LinePeer } from './delivery-peers.ts';
import { keyOf, outputRow, Rig } from './delivery-rig.ts';
import { Program, proxtop, PROXTOP, type End } from './program.ts';

const nowhere = { type: 'tcp', target: '127.0.0.1:9', spool: 'true', spool_sync: 0.1 } as const;

/** Runs `proxtop spool` on the state directory of a rig. */
function spool(rig: Rig, ...words: readonly string[]): Promise<End> {
  return proxtop(['spool', ...words, '--state-dir', rig.state]);
}

/** Samples so many records while nothing listens; they are on disk then. */
async function outage(rig: Rig, records: number, printer = 'json'): Promise<void> {
  rig.configure({ stream: { ...nowhere, printer } });
  const run = rig.start();
  await run.next('records on disk', (cycle) => Number(outputRow(cycle)['spooled']) >= records);
  await run.stop();
}

describe('proxtop spool', { concurrency: true }, () => {
  test('of an output that was renamed: told at each start, listed, drained and deleted', async (t) => {
    const rig = new Rig(t);
    const none = await spool(rig);
    assert.deepEqual([none.code, none.stdout], [0, `no records wait in ${rig.state}\n`]);
    await outage(rig, 10);
    const records = rig.sampled;
    const directory = join(rig.state, 'stream');
    rig.configure({ renamed: nowhere });
    const run = rig.start();
    await run.until('word of the records', () =>
      new RegExp(`${directory}: ${records.length} records of output stream in format json are kept`).test(
        run.stderr,
      ),
    );
    const report = `${records.length} records .* of output stream in format json in ${directory} are delivered by no output`;
    // The report is written every 5 s.
    for (let text = ''; !new RegExp(report).test(text);)
      text = (await proxtop(['status', '--rundir', join(rig.root, 'run')])).stdout;
    await run.next('records of its own', (cycle) => Number(outputRow(cycle, 'renamed')['spooled']) >= 3);
    const listed = await spool(rig, 'list');
    assert.equal(listed.code, 0);
    const rows = listed.stdout.split('\n').map((line) => line.split(/ {2,}/));
    assert.deepEqual(rows[0], ['SPOOL', 'RECORDS', 'SIZE', 'OLDEST', 'OUTPUT', 'FORMAT', 'USED BY']);
    assert.deepEqual(rows[1]?.toSpliced(1, 3), ['renamed', 'renamed', 'json', `process ${run.pid}`]);
    assert.deepEqual(rows[2]?.toSpliced(2, 2), ['stream', `${records.length}`, 'stream', 'json', '-']);

    const file = join(rig.root, 'drained');
    for (const words of [
      ['drain', 'renamed', file],
      ['delete', 'renamed'],
    ]) {
      const { code, stderr } = await spool(rig, ...words);
      assert.equal(code, 1);
      assert.match(
        stderr,
        new RegExp(`renamed is used by another proxtop, process ${run.pid}: stop it first\n`),
      );
    }
    assert.ok(!existsSync(file));

    const drained = await spool(rig, 'drain', 'stream', file);
    assert.deepEqual([drained.code, drained.stdout], [0, '']);
    assert.match(drained.stderr, new RegExp(`^copied ${records.length} records of ${directory} to ${file}`));
    const keys = (text: string): string[] => text.split('\n').slice(0, -1).map(keyOf);
    assert.deepEqual(keys(readFileSync(file, 'utf8')), records);
    assert.deepEqual(keys((await spool(rig, 'drain', 'stream')).stdout), records);
    const again = await spool(rig, 'drain', 'stream', file);
    assert.deepEqual([again.code, /EEXIST/.test(again.stderr)], [1, true], 'no file is overwritten');

    const deleted = await spool(rig, 'delete', 'stream');
    assert.deepEqual(
      [deleted.code, deleted.stderr],
      [0, `deleted ${records.length} records of ${directory}\n`],
    );
    assert.ok(!existsSync(directory));
    await run.stop();
  });

  test('of an output that writes another format now: one format is chosen, the other is delivered', async (t) => {
    const rig = new Rig(t);
    await outage(rig, 10);
    const before = rig.sampled.length;
    await outage(rig, 10, 'influx');
    assert.match(rig.runs[1]!.stderr, new RegExp(`${before} records .*json.* are kept and not delivered`));
    const both = await spool(rig, 'drain', 'stream');
    assert.equal(both.code, 1);
    assert.match(both.stderr, /records in the formats json, influx: name one of them, such as stream:json/);
    const points = await spool(rig, 'drain', 'stream:influx', '-');
    assert.ok(
      points.stdout
        .split('\n')
        .slice(0, -1)
        .every((line) => line.startsWith('proxtop_')),
    );
    const { stderr } = await spool(rig, 'delete', 'stream:influx');
    assert.match(stderr, /deleted \d+ records of /);
    // What was deleted on demand is no damage.
    const peer = await LinePeer.create(t);
    rig.configure({ stream: { ...nowhere, target: peer.target } });
    const run = rig.start();
    await peer.arrive(rig.sampled.slice(0, before));
    await run.stop();
    assert.doesNotMatch(run.stderr, /dropped|lost/);
    assert.ok(peer.records.every((record) => !record.startsWith('proxtop_')));
  });

  test('of tables with other columns: each can be named', async (t) => {
    const rig = new Rig(t);
    for (const verbose of ['true', 'false']) {
      rig.configure({ stream: { ...nowhere, printer: 'csv', verbose } });
      const run = rig.start();
      await run.next('records on disk', (cycle) => Number(outputRow(cycle)['spooled']) >= 5);
      await run.stop();
    }
    const both = await spool(rig, 'drain', 'stream:csv');
    assert.equal(both.code, 1);
    const [, one = ''] = /such as '(stream:csv .*)'$/m.exec(both.stderr) ?? assert.fail(both.stderr);
    const drained = await spool(rig, 'drain', one);
    assert.equal(drained.code, 0, drained.stderr);
    assert.match(drained.stderr, /^copied \d+ records of .* to standard output/);
  });

  test('on a file system that is read-only: can be drained, not deleted', async (t) => {
    const rig = new Rig(t);
    const disk = rig.smallDisk('2m');
    await outage(rig, 5);
    disk.readOnly(true);
    const { code, stdout } = await spool(rig, 'drain', 'stream');
    assert.equal(code, 0);
    assert.deepEqual(stdout.split('\n').slice(0, -1).map(keyOf), rig.sampled);
    const deleted = await spool(rig, 'delete', 'stream');
    assert.deepEqual([deleted.code, /EROFS/.test(deleted.stderr)], [1, true], deleted.stderr);
  });

  test('the directory itself is no spool in it, and files that are no records stay', async (t) => {
    const rig = new Rig(t);
    await outage(rig, 5);
    const directory = join(rig.state, 'stream');
    writeFileSync(join(directory, 'notes'), '');
    for (const name of ['.', '../stream', '..']) {
      const { code, stderr } = await proxtop(['spool', 'delete', name, '--state-dir', directory]);
      assert.deepEqual([code, stderr.includes(`no spool "${name}" in`)], [1, true], stderr);
    }
    const none = await spool(rig, 'drain', 'stream:');
    assert.match(none.stderr, /has no records in format , but records in format json/);
    assert.equal((await spool(rig, 'delete', 'stream')).code, 0);
    assert.deepEqual(readdirSync(directory), ['notes']);
  });

  test('where others may write to the directory: nothing is read or deleted', async (t) => {
    const rig = new Rig(t);
    await outage(rig, 5);
    chmodSync(rig.state, 0o777);
    const { code, stderr } = await spool(rig, 'delete', 'stream');
    assert.deepEqual([code, /other users can write to .*mode 0777/.test(stderr)], [1, true], stderr);
    const run = rig.start();
    const { code: ended } = await run.end();
    assert.equal(ended, 1);
    assert.match(run.stderr, /other users can write to .*mode 0777/);
  });

  test('a reader that has seen enough of it is no fault', async (t) => {
    const rig = new Rig(t);
    rig.configure({ stream: { ...nowhere, queue_bytes: '64K' } });
    await rig.backlog(20, 60_000);
    const command = `'${PROXTOP}' spool drain stream --state-dir '${rig.state}' | head -c 100`;
    const { stdout, stderr } = await new Program(spawn('sh', ['-c', command])).end();
    assert.deepEqual([stdout.length, stderr], [100, '']);
  });

  for (const [words, expected] of [
    [['drain', 'logs'], /no spool "logs" in .*; it has no spools/],
    [['delete', '../elsewhere'], /no spool "..\/elsewhere"/],
  ] as const) {
    test(`${words.join(' ')} where there is none: says so`, async (t) => {
      const { code, stderr } = await spool(new Rig(t), ...words);
      assert.equal(code, 1);
      assert.match(stderr, expected);
    });
  }
});
