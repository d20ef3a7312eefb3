import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreparedQueries } from '../../src/qmp/query.ts';
import { queryGuestStats, queryStatus } from '../../src/qmp/replies.ts';

test('renders the negotiation and the queries, one a line, each with its own id', () => {
  const commands = new PreparedQueries([queryStatus, queryGuestStats])
    .render('7:1:')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  assert.deepEqual(commands, [
    { execute: 'qmp_capabilities', id: '7:1:0' },
    { execute: 'query-status', id: '7:1:1' },
    {
      execute: 'qom-get',
      arguments: { path: '/machine/peripheral/balloon0', property: 'guest-stats' },
      id: '7:1:2',
    },
  ]);
});
