import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connections, readConnections } from '../../src/kernel/proc/proc-net-unix.ts';

test('a socket with a client, and one whose client waits', () => {
  const text = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    '0000000000000001: 00000002 00000000 00010000 0001 01   100 /run/listening',
    '0000000000000002: 00000003 00000000 00000000 0001 03   101 /run/served',
    '0000000000000003: 00000002 00000000 00000000 0001 02     0 /run/with a blank',
    '0000000000000004: 00000003 00000000 00000000 0001 03   102',
    '0000000000000005: 00000003 00000000 00000000 0001 03   103 @abstract',
    '',
  ].join('\n');
  const found = { '/run/served': ['101'], '/run/with a blank': ['0'], '@abstract': ['103'] };
  assert.deepEqual(connections(Buffer.from(text)), new Map(Object.entries(found)));
});

test('a path that looks like a line of the file makes no connection, nor does it hide others', () => {
  const text = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    '0000000000000001: 00000002 00000000 00010000 0001 01   100 /run/vm/a.qmp',
    '0000000000000002: 00000002 00000000 00010000 0001 01   200 x',
    '0000000000000003: 00000003 00000000 00000000 0001 03   100 /run/vm/a.qmp',
    '0000000000000004: 00000003 00000000 00000000 0001 03   101 /run/vm/b.qmp',
    '',
  ].join('\n');
  assert.deepEqual(connections(Buffer.from(text)), new Map([['/run/vm/b.qmp', ['101']]]));
});

test('an empty table and one that cannot be read have none', () => {
  assert.deepEqual(connections(Buffer.alloc(0)), new Map());
  assert.deepEqual(readConnections('/nowhere'), new Map());
});

test('the kernel lists a real client of a real server, beside more sockets than one read gives', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-unix-'));
  const paths = Array.from({ length: 100 }, (_, number) => join(directory, `a socket ${number}`));
  const servers = paths.map((path) => createServer().listen(path));
  const clients = paths.slice(0, 1).map((path) => connect(path));
  t.after(() => {
    for (const client of clients) client.destroy();
    for (const server of servers) server.close();
    rmSync(directory, { recursive: true });
  });
  await Promise.all(clients.map((client) => once(client, 'connect')));
  const found = readConnections('/proc/net/unix');
  assert.deepEqual(
    paths.filter((path) => found.has(path)),
    [paths[0]],
  );
  // The last server is listed first: what is looked for lies behind the first page.
  const last = connect(paths[99]!);
  clients.push(last);
  await once(last, 'connect');
  assert.ok(readConnections('/proc/net/unix').has(paths[99]!));
});
