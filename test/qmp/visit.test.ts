import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { QmpError } from '../../src/qmp/errors.ts';
import { PreparedQueries } from '../../src/qmp/query.ts';
import type { QmpQuery } from '../../src/qmp/query.ts';
import { queryStatus } from '../../src/qmp/replies.ts';
import { LARGEST_ANSWER, Visit } from '../../src/qmp/visit.ts';

// The peers here are fakes: a real QEMU cannot be made to send garbage, stop in the middle of a reply or dawdle.

const echo: QmpQuery<unknown> = { execute: 'query-name', read: (reply) => reply };
const prepared = new PreparedQueries([queryStatus, echo]);
const greeting = '{"QMP": {"version": {}, "capabilities": []}}\r\n';
const directory = mkdtempSync(join(tmpdir(), 'proxtop-visit-'));
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
  rmSync(directory, { recursive: true });
});

type Command = { readonly execute: string; readonly id?: string };
/** What a fake does once the visitor has sent its commands. */
type Play = (socket: Socket, commands: readonly Command[]) => unknown;

async function listen(play: (socket: Socket) => void): Promise<{ path: string; server: Server }> {
  const path = join(directory, String(Math.random()));
  const server = createServer((socket) => {
    // The visitor may leave at any time.
    socket.on('error', () => undefined);
    play(socket);
  }).listen(path);
  servers.push(server);
  await once(server, 'listening');
  return { path, server };
}

/** The commands of a visit, which come without anything between them. */
function commandsIn(data: Buffer): Command[] {
  return data
    .toString()
    .split(/(?<=\})(?=\{"execute")/)
    .map((text) => JSON.parse(text) as Command);
}

type Outcome = Awaited<Visit<typeof prepared.queries>['outcome']>;

/** A visit to a fake; the fake sees the connection closed when this returns. */
async function visitFake(play: Play, hello = greeting, deadline = 5000): Promise<Outcome> {
  let gone: Promise<unknown> | undefined;
  const { path } = await listen((socket) => {
    gone = new Promise((resolve) => socket.on('close', resolve));
    socket.write(hello);
    socket.once('data', (data) => {
      play(socket, commandsIn(data));
    });
  });
  const visit = new Visit(path, prepared, deadline);
  const outcome = await visit.outcome;
  assert.equal(visit.connected, false);
  await gone;
  return outcome;
}

const answer = ({ id }: Command, value: unknown): string => `${JSON.stringify({ return: value, id })}\r\n`;
const refusalOf = ({ id }: Command, desc: string): string =>
  `${JSON.stringify({ error: { class: 'G', desc }, id })}\r\n`;
const status = { status: 'running', running: true };
/** What a visit makes of an answer, and of a refusal. */
const told = (value: unknown) => ({ value, error: undefined });
const refused = (error: unknown) => ({ value: undefined, error });
const answerAll = ([caps, first, second]: readonly Command[], name: unknown): string =>
  answer(caps!, {}) + answer(first!, status) + answer(second!, name);

function assertFailed(outcome: Outcome, reason: string, message: RegExp): void {
  assert.ok(outcome instanceof QmpError, 'the visit failed');
  assert.equal(outcome.reason, reason);
  assert.match(outcome.message, message);
  assert.ok(outcome.message.startsWith(directory), 'the message names the socket');
}

test('sends everything in one write, closes after the last reply', async () => {
  const outcome = await visitFake((socket, commands) => {
    assert.deepEqual(
      commands.map(({ execute }) => execute),
      ['qmp_capabilities', 'query-status', 'query-name'],
    );
    socket.write(answerAll(commands, 'größe €'));
  });
  assert.deepEqual(outcome, [told(status), told('größe €')]);
});

test('replies byte by byte', async () => {
  const outcome = await visitFake(async (socket, commands) => {
    for (const byte of Buffer.from(answerAll(commands, { name: '€' }))) {
      socket.write(Buffer.of(byte));
      await turn();
    }
  });
  assert.deepEqual(outcome, [told(status), told({ name: '€' })]);
});

test('events and answers to others are passed over', async () => {
  const event = '{"timestamp": {"seconds": 1}, "event": "STOP", "data": {"id": "1", "return": 5}}\r\n';
  const outcome = await visitFake((socket, commands) => {
    const stale =
      answer({ execute: '', id: '1:1:1' }, 'stale') +
      '{"error": {"class": "X", "desc": "x"}, "id": "4711:2"}\r\n';
    const [caps, first, second] = commands;
    socket.write(
      event +
        stale +
        answer(caps!, {}) +
        event +
        stale +
        answer(first!, status) +
        stale +
        event +
        answer(second!, 1),
    );
  });
  assert.deepEqual(outcome, [told(status), told(1)]);
});

test('only the last command has an id, a short one that differs from visit to visit', async () => {
  const ids = new Set<string>();
  for (let i = 0; i < 50; i++) {
    await visitFake((socket, commands) => {
      const [caps, first, second] = commands;
      assert.deepEqual([caps!.id, first!.id], [undefined, undefined]);
      ids.add(second!.id!);
      socket.write(answerAll(commands, null));
    });
  }
  assert.equal(ids.size, 50);
  for (const id of ids) assert.match(id, /^[0-9a-z]{3,5}$/);
});

test('an error is the answer of its command', async () => {
  const error = { class: 'G', desc: 'no' };
  const outcome = await visitFake((socket, [caps, first, second]) => {
    socket.write(answer(caps!, {}) + refusalOf(first!, 'no') + answer(second!, 1));
  });
  assert.deepEqual(outcome, [refused(error), told(1)]);
  const last = await visitFake((socket, [caps, first, second]) => {
    socket.write(answer(caps!, {}) + answer(first!, status) + refusalOf(second!, 'no'));
  });
  assert.deepEqual(last, [told(status), refused(error)]);
});

test('a refused negotiation fails the visit', async () => {
  const complete = 'Capabilities negotiation is already complete, command ignored';
  const outcome = await visitFake((socket, [caps, first, second]) =>
    socket.write(refusalOf(caps!, complete) + answer(first!, status) + answer(second!, 1)),
  );
  assertFailed(outcome, 'error', /refused us: Capabilities negotiation is already complete/);
});

test('where the number of answers is not exact none of them counts', async () => {
  const foreign = { execute: '' };
  const amiss: readonly ((commands: readonly Command[]) => string)[] = [
    // An answer to another client, at any place.
    (commands) => answer(foreign, {}) + answerAll(commands, 1),
    ([caps, first, second]) =>
      answer(caps!, {}) + answer(foreign, []) + answer(first!, status) + answer(second!, 1),
    ([caps, first, second]) =>
      answer(caps!, {}) + answer(first!, status) + refusalOf(foreign, 'x') + answer(second!, 1),
    // One that went to somebody else.
    ([caps, , second]) => answer(caps!, {}) + answer(second!, 1),
    ([, , second]) => answer(second!, 1),
  ];
  for (const text of amiss) {
    const outcome = await visitFake((socket, commands) => socket.write(text(commands)));
    assertFailed(outcome, 'error', /the answers of another client came among ours/);
  }
});

test('garbage', async () => {
  const never: Play = () => assert.fail('nothing may be sent to it');
  assertFailed(
    await visitFake(never, 'SSH-2.0-OpenSSH_9.2\r\n'),
    'error',
    /no QMP, the monitor sent "SSH-2.0/,
  );
  assertFailed(await visitFake(never, '{"hello": 1}\n'), 'error', /no greeting/);
  assertFailed(await visitFake(never, '[1]\n'), 'error', /no QMP, the monitor sent "\[1\]"/);
  assertFailed(await visitFake(never, Buffer.alloc(3000, 255).toString('latin1') + '\n'), 'error', /no QMP/);
  assertFailed(await visitFake((socket) => socket.write('{"return": {}, "id"\n')), 'error', /no QMP/);
});

test('an endless reply is cut off', async () => {
  let sent = 0;
  const flood = function* (): Generator<Buffer> {
    for (const chunk = Buffer.alloc(1024 * 1024, 'x'); sent < 50; sent++) yield chunk;
  };
  // The pipeline fails when the visitor leaves.
  const outcome = await visitFake((socket) => pipeline(flood, socket).catch(() => undefined));
  assertFailed(outcome, 'error', /more than 1048576 bytes/);
  assert.ok(sent < 50, `${sent} MiB of 50 were taken, the limit is ${LARGEST_ANSWER}`);
});

test('a reply just below the limit is read', async () => {
  const name = 'x'.repeat(LARGEST_ANSWER - 1024);
  const outcome = await visitFake((socket, commands) => socket.write(answerAll(commands, name)));
  assert.ok(!(outcome instanceof QmpError));
  assert.equal(outcome[1].value, name);
});

test('a message that would keep JSON.parse busy is not parsed', async () => {
  const bulk = 900_000;
  const texts = [
    '['.repeat(bulk),
    '{"a":'.repeat(bulk / 5),
    `[${'{},'.repeat(bulk / 3)}{}]`,
    `[${'[],'.repeat(bulk / 3)}[]]`,
    `{${Array.from({ length: bulk / 14 }, (_, i) => `"k${i}":[]`).join(',')}}`,
    `["a\\\\"${',[1]'.repeat(bulk / 4)}]`,
  ];
  for (const text of texts) {
    const sent = (socket: Socket, [caps]: readonly Command[]): unknown =>
      socket.write(`${answer(caps!, {})}{"return": ${text}}\r\n`);
    assertFailed(await visitFake(sent), 'error', /nested too deep or has too many values/);
  }
  // Brackets in strings are none, whatever stands before the quote; 64 deep is fine.
  for (const name of [
    '[{'.repeat(1000),
    '\\"[['.repeat(100),
    '\\'.repeat(99),
    JSON.parse('['.repeat(60) + ']'.repeat(60)),
  ]) {
    const outcome = await visitFake((socket, commands) => socket.write(answerAll(commands, name)));
    assert.ok(!(outcome instanceof QmpError));
    assert.deepEqual(outcome[1].value, name);
  }
});

test('messages without end', async () => {
  const sent = (socket: Socket): unknown => socket.write('{"event":"A"}\r\n'.repeat(2000));
  assertFailed(await visitFake(sent), 'error', /more than 1000 messages/);
});

test('more entries than a list of QEMU can have', async () => {
  const few = new PreparedQueries([{ ...echo, most: 3 }]);
  for (const entries of [
    [1, 2, 3],
    [1, 2, 3, 4],
  ]) {
    const { path } = await listen((socket) => {
      socket.write(greeting);
      socket.once('data', (data) => {
        const [caps, first] = commandsIn(data);
        socket.write(answer(caps!, {}) + answer(first!, entries));
      });
    });
    const outcome = await new Visit(path, few).outcome;
    if (entries.length === 3) assert.deepEqual(outcome, [told(entries)]);
    else assertFailed(outcome as Outcome, 'error', /answered query-name with 4 entries, expected 3 at most/);
  }
});

test('a connection that never gets a greeting is given up after a while, where it may be anything', async () => {
  let closed: Promise<unknown> | undefined;
  const { path } = await listen((socket) => {
    closed = once(socket, 'close');
  });
  const visit = new Visit(path, prepared, 20, path, 30);
  assertFailed(await visit.outcome, 'timeout', /no greeting within 20 ms/);
  assert.equal(visit.connected, true);
  while (closed === undefined) await turn();
  await closed;
  assert.equal(visit.connected, false);
});

test('the monitor closes before its greeting, or in the middle of a reply', async () => {
  const { path } = await listen((socket) => socket.end());
  assertFailed(await new Visit(path, prepared).outcome, 'error', /closed the connection before its greeting/);
  const outcome = await visitFake((socket, [caps]) => socket.end(`${answer(caps!, {})}{"return": {"stat`));
  assertFailed(outcome, 'error', /closed the connection after 1 of 3 replies/);
});

test('nobody listens, or there is no socket', async () => {
  const { path, server } = await listen(() => undefined);
  server.close();
  await once(server, 'close');
  assertFailed(await new Visit(path, prepared).outcome, 'error', /ENOENT/);
});

/** A fake that says what it is told to once it was sent commands, and then leaves the rest to the test. */
async function serve(
  first: (commands: readonly Command[]) => string,
): Promise<{ readonly path: string; readonly served: Promise<Served> }> {
  let resolve: (served: Served) => void;
  const served = new Promise<Served>((settle) => (resolve = settle));
  const { path } = await listen((socket) => {
    socket.write(greeting);
    socket.once('data', (data) => {
      const commands = commandsIn(data);
      socket.write(first(commands));
      resolve({ socket, commands });
    });
  });
  return { path, served };
}

interface Served {
  readonly socket: Socket;
  readonly commands: readonly Command[];
}

test('slow replies fail the visit at its deadline; it leaves when they have come', async () => {
  const { path, served } = await serve(([caps]) => answer(caps!, {}));
  const visit = new Visit(path, prepared, 100);
  assertFailed(await visit.outcome, 'timeout', /no answer within 100 ms, after [01] of 3 replies/);
  assert.equal(visit.connected, true, 'it waits on');
  const { socket, commands } = await served;
  socket.on('data', () => assert.fail('nothing more may be sent'));
  const closed = once(socket, 'close');
  const [, first, second] = commands;
  socket.write(answer(first!, status) + answer({ execute: '', id: 'x' }, 1));
  for (let i = 0; i < 20; i++) await turn();
  assert.equal(visit.connected, true, 'one answer is to come');
  socket.write(answer(second!, 1));
  await closed;
  assert.equal(visit.connected, false);
});

test('broken off while it is served, it leaves no command behind', async () => {
  const one = await serve(() => '');
  const visit = new Visit(one.path, prepared);
  const { socket, commands } = await one.served;
  visit.close();
  assertFailed(await visit.outcome, 'error', /cancelled/);
  assert.equal(visit.connected, true);
  const closed = once(socket, 'close');
  socket.write(answerAll(commands, 1));
  await closed;
  // The end of the last answer may have begun before.
  const half = await serve((all) => answerAll(all, 1).slice(0, -8));
  const late = new Visit(half.path, prepared, 50);
  assertFailed(await late.outcome, 'timeout', /after [0-2] of 3 replies/);
  const { socket: slow, commands: theirs } = await half.served;
  const ended = once(slow, 'close');
  slow.write(answerAll(theirs, 1).slice(-8));
  await ended;
  // Answers that never come are not waited for without end, be it broken off before its deadline or after.
  const other = await serve(() => '');
  const unanswered = new Visit(other.path, prepared, 50);
  const { socket: silent } = await other.served;
  unanswered.close();
  await once(silent, 'close');
  const third = await serve(() => '');
  const overdue = new Visit(third.path, prepared, 50);
  assertFailed(await overdue.outcome, 'timeout', /no answer within 50 ms|no greeting/);
  const { socket: hanging } = await third.served;
  const gone = once(hanging, 'close');
  overdue.close();
  await gone;
});

test('a late greeting closes the connection, and nothing was sent', async () => {
  const sockets: Socket[] = [];
  const { path } = await listen((socket) => {
    sockets.push(socket);
    socket.on('data', () => assert.fail('nothing may be sent'));
  });
  const visit = new Visit(path, prepared, 50);
  assertFailed(await visit.outcome, 'timeout', /no greeting within 50 ms/);
  assert.equal(visit.connected, true, 'it waits on');
  const [socket] = sockets;
  const closed = once(socket!, 'close');
  socket!.write(greeting);
  await closed;
  assert.equal(visit.connected, false);
});

test('a held-up visitor still takes what has come in time', async () => {
  const { path } = await listen((socket) => {
    socket.write(greeting);
    socket.once('data', (data) => {
      socket.write(answerAll(commandsIn(data), 1));
      // Both ends are in this process: by the time it comes round again, the deadline has passed.
      const until = performance.now() + 150;
      while (performance.now() < until);
    });
  });
  const outcome = await new Visit(path, prepared, 100).outcome;
  assert.deepEqual(outcome, [told(status), told(1)]);
});
