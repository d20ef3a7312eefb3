import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreparedQueries } from '../../src/qmp/query.ts';
import { queryGuestStats, queryStatus } from '../../src/qmp/replies.ts';

test('renders the negotiation and the queries with nothing between them, and an id for the last', () => {
  assert.equal(
    new PreparedQueries([queryGuestStats, queryStatus]).render('ab1'),
    '{"execute":"qmp_capabilities"}' +
      '{"execute":"qom-get","arguments":{"path":"/machine/peripheral/balloon0","property":"guest-stats"}}' +
      '{"execute":"query-status","id":"ab1"}',
  );
});
