import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { queryBlockstats } from '../../src/qmp/blockstats.ts';
import { QmpError } from '../../src/qmp/errors.ts';
import { Monitor } from '../../src/qmp/monitor.ts';
import { PreparedQueries } from '../../src/qmp/query.ts';
import { queryBalloon, queryStatus } from '../../src/qmp/replies.ts';
import { OtherClient, bare, withQemu } from './qemu.ts';

/** Clients that come while we visit. */
const ENCOUNTERS = 10_000;
/** QEMUs at a time. */
const LANES = 8;
/** ms of a visit, drawn for each: in the shortest no answer comes, in the longest all do. */
const DEADLINES = [1, 2, 3, 5, 500];

const prepared = new PreparedQueries([queryStatus, queryBlockstats, queryBalloon]);
let commands = 0;

/** Asks as Proxmox VE's tools do: the next command when the last one is answered, with an id of their form. */
async function ask(client: OtherClient, execute: string): Promise<void> {
  const id = `${process.pid}0:${++commands}`;
  client.send({ execute, id });
  const { error, id: answered } = await client.answer();
  assert.equal(error?.class === 'DeviceNotActive' ? undefined : error, undefined, execute);
  assert.equal(answered, id, 'the answer is its own');
}

/** A command of qm, or what pvestatd asks every 10 s. */
async function visitLike(tool: 'qm' | 'pvestatd', path: string): Promise<void> {
  const client = new OtherClient(path);
  const greeting = JSON.parse(await client.next()) as object;
  assert.ok('QMP' in greeting, 'it is greeted first');
  const questions = {
    qm: ['query-version'],
    pvestatd: ['query-status', 'query-blockstats', 'query-machines', 'query-version', 'query-balloon'],
  };
  for (const execute of ['qmp_capabilities', ...questions[tool]]) await ask(client, execute);
  client.close();
}

/** Visits as often as can be, with a new deadline each time. */
async function visitOn(path: string, going: () => boolean): Promise<{ answered: number; late: number }> {
  const count = { answered: 0, late: 0 };
  while (going()) {
    const monitor = new Monitor(path, DEADLINES[Math.floor(Math.random() * DEADLINES.length)]);
    const outcome = await monitor.ask(prepared);
    if (outcome instanceof QmpError) {
      assert.equal(outcome.reason, 'timeout', outcome.message);
      count.late++;
    } else {
      assert.equal(outcome[0].value?.status, 'prelaunch');
      assert.deepEqual(outcome[1].value, []);
      assert.equal(outcome[2].error?.class, 'DeviceNotActive');
      count.answered++;
    }
    while (monitor.connected) await turn();
  }
  return count;
}

test('a client that comes at any moment gets its own answers, and we get ours', async () => {
  let left = ENCOUNTERS;
  const lane = (): Promise<void> =>
    withQemu(bare, async ({ path }) => {
      let going = true;
      const visits = visitOn(path, () => going);
      while (left-- > 0) {
        await visitLike(Math.random() < 0.5 ? 'qm' : 'pvestatd', path);
        await sleep(Math.random() * 3);
      }
      going = false;
      const { answered, late } = await visits;
      assert.ok(answered > 50 && late > 50, `${answered} visits were answered, ${late} were not in time`);
    });
  await Promise.all(Array.from({ length: LANES }, lane));
});
