import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectSocket } from 'node:net';
import { test } from 'node:test';
import { Connection } from '../../src/libvirt/connection.ts';
import { ConnectionError, LibvirtError } from '../../src/libvirt/error.ts';
import type { Header } from '../../src/libvirt/messages.ts';
import { encodeMessage } from '../../src/libvirt/messages.ts';
import { until } from '../lab/processes.ts';
import { peer, replay, reply, session } from './peer.ts';
import type { Answer } from './peer.ts';

// The peers of this file are fakes, because a libvirtd cannot be made to answer out of order, to ask for polkit where
// no polkitd runs, or to break its own protocol. hypervisor.test.ts does the rest with a real one.

const troubleIs = (trouble: string, words: RegExp) => (error: unknown) =>
  error instanceof ConnectionError && error.trouble === trouble && words.test(error.message);

test('opens a session in the order libvirt wants', async (t) => {
  const server = await peer(
    t,
    session(() => undefined),
  );
  const hypervisor = await server.hypervisor();
  hypervisor.close();
  assert.deepEqual(
    server.requests.map(({ procedure }) => procedure),
    [66, 1, 60, 360],
  );
});

test('at most four calls are in flight, and replies may come in any order', async (t) => {
  const held: Header[] = [];
  const server = await peer(
    t,
    session((header, socket) => {
      held.push(header);
      if (held.length < 4) return;
      for (const call of held.splice(0).reverse()) {
        reply(socket, call, (writer) => writer.string(`host ${call.serial}`));
      }
    }),
  );
  const hypervisor = await server.hypervisor();
  const first = server.requests.length;
  const names = await Promise.all(Array.from({ length: 8 }, () => hypervisor.hostname()));
  assert.deepEqual(
    names,
    Array.from({ length: 8 }, (_, i) => `host ${first + i}`),
  );
  hypervisor.close();
});

test('a call that timed out keeps its place until it is answered', async (t) => {
  const held: [Header, Socket][] = [];
  let late = false;
  const server = await peer(
    t,
    session((header, socket) => {
      if (late) reply(socket, header, (writer) => writer.string('now'));
      else held.push([header, socket]);
    }),
  );
  const hypervisor = await server.hypervisor(200);
  const calls = await Promise.allSettled(Array.from({ length: 6 }, () => hypervisor.hostname()));
  for (const call of calls) {
    assert.ok(call.status === 'rejected');
    assert.ok(troubleIs('timeout', /no answer to CONNECT_GET_HOSTNAME within 200 ms/)(call.reason));
  }
  assert.equal(held.length, 4);
  assert.equal(hypervisor.unanswered, 4);
  late = true;
  for (const [header, socket] of held) reply(socket, header, (writer) => writer.string('late'));
  assert.equal(await hypervisor.hostname(), 'now');
  assert.equal(hypervisor.unanswered, 0);
  hypervisor.close();
});

test('polkit: authenticates where it is asked for', async (t) => {
  const others = session(() => undefined);
  const server = await peer(t, (header, socket, payload) => {
    if (header.procedure === 66) replay(socket, header, 'AUTH_LIST (66), uid 65534');
    else if (header.procedure === 70) reply(socket, header, (writer) => writer.int(1));
    else others(header, socket, payload);
  });
  (await server.hypervisor()).close();
  assert.deepEqual(
    server.requests.slice(0, 3).map(({ procedure }) => procedure),
    [66, 70, 1],
  );
});

test('SASL: is not supported, and says so', async (t) => {
  const server = await peer(t, (header, socket) => {
    replay(socket, header, 'AUTH_LIST (66) when the socket wants SASL');
  });
  await assert.rejects(
    server.hypervisor(),
    troubleIs('unsupported', /sock: authentication by SASL is not supported/),
  );
});

test('an error of the server keeps its code, and the connection', async (t) => {
  let name = 'DOMAIN_GET_XML_DESC (14) unknown domain';
  const server = await peer(
    t,
    session((header, socket) => {
      replay(socket, header, name);
    }),
  );
  const hypervisor = await server.hypervisor();
  const domain = { name: 'nope', uuid: '07070707-0707-0707-0707-070707070707', id: 99 };
  await assert.rejects(hypervisor.domainXml(domain), (error) => {
    assert.ok(error instanceof LibvirtError);
    assert.deepEqual([error.code, error.domain, error.level], [42, 10, 2]);
    assert.match(error.message, /^Domain not found: no domain with matching uuid '07070707-/);
    return true;
  });
  name = 'GET_HOSTNAME';
  assert.equal(await hypervisor.hostname(), 'vm');
  hypervisor.close();
});

test('the proxy that lost its daemon is a lost connection', async (t) => {
  const server = await peer(
    t,
    session(() => undefined),
  );
  const hypervisor = await server.hypervisor();
  const lost = once(hypervisor, 'lost');
  const call = assert.rejects(hypervisor.hostname(), troubleIs('closed', /daemon behind the proxy is gone/));
  server.sockets[0]!.write(
    encodeMessage({ program: 0x20008086, procedure: 362, type: 2, serial: 1, status: 0 }, (writer) =>
      writer.int(1),
    ),
  );
  await lost;
  await call;
  await assert.rejects(hypervisor.hostname(), ConnectionError);
});

test('answers pings, and pings while the server is silent until it gives up', async (t) => {
  const server = await peer(t, () => undefined);
  const socket = await open(server.path);
  const connection = new Connection({ stream: socket, peer: 'peer' }, 20);
  const lost = once(connection, 'lost');
  await until('a connection', () => server.sockets.length === 1);
  server.sockets[0]!.write(
    encodeMessage({ program: 0x6b656570, procedure: 1, type: 2, serial: 0, status: 0 }),
  );
  const [reason] = (await lost) as [unknown];
  assert.ok(troubleIs('timeout', /^peer: the server does not answer pings$/)(reason));
  const sent = server.requests.map(({ procedure }) => procedure);
  assert.equal(sent.filter((procedure) => procedure === 2).length, 1);
  assert.ok(sent.filter((procedure) => procedure === 1).length >= 5);
});

test('stays while the server answers pings', async (t) => {
  let pings = 0;
  const server = await peer(t, (header, socket) => {
    pings++;
    socket.write(encodeMessage({ ...header, procedure: 2 }));
  });
  const connection = new Connection({ stream: await open(server.path), peer: 'peer' }, 5);
  let lost = false;
  connection.on('lost', () => {
    lost = true;
  });
  await until('ten pings', () => pings >= 10);
  assert.equal(lost, false);
  connection.close();
});

const strangers: Record<string, string> = {
  'a QMP monitor': '{"QMP": {"version": {}, "capabilities": []}}\r\n',
  'a web server': 'HTTP/1.1 400 Bad Request\r\n\r\n',
  'an ssh server': 'SSH-2.0-OpenSSH_9.2\r\n',
};

for (const [what, greeting] of Object.entries(strangers)) {
  test(`a socket that is not libvirt but ${what}`, async (t) => {
    const server = await peer(t, (_, socket) => {
      socket.write(greeting);
    });
    await assert.rejects(
      server.hypervisor(),
      troubleIs('protocol', /sock: this is not libvirt, or it breaks the protocol: a message of \d+ bytes/),
    );
  });
}

test('replies that break the protocol end the connection and fail the call', async (t) => {
  const answers: Record<string, Answer> = {
    echo: (header, socket) => socket.write(encodeMessage(header)),
    'wrong serial': (header, socket) => {
      reply(socket, { ...header, serial: 4711 });
    },
    'no payload': (header, socket) => {
      reply(socket, header);
    },
    'endless string': (header, socket) => {
      reply(socket, header, (writer) => writer.uint(0xffffffff));
    },
    'an error that is none': (header, socket) => {
      reply(socket, { ...header, status: 1 }, (writer) => writer.int(0).int(0).int(0).int(0));
    },
    'another program': (header, socket) => {
      reply(socket, { ...header, program: 7 });
    },
  };
  for (const answer of Object.values(answers)) {
    const server = await peer(t, session(answer));
    const hypervisor = await server.hypervisor();
    const lost = once(hypervisor, 'lost');
    await assert.rejects(hypervisor.hostname(), troubleIs('protocol', /breaks the protocol/));
    await lost;
  }
});

test('a server that says nothing: the attempt ends in time', async (t) => {
  const server = await peer(t, () => undefined);
  await assert.rejects(server.hypervisor(100), troubleIs('timeout', /no connection to libvirt in time/));
});

test('a server that hangs up during a call', async (t) => {
  const server = await peer(
    t,
    session((_, socket) => {
      socket.destroy();
    }),
  );
  const hypervisor = await server.hypervisor();
  const lost = once(hypervisor, 'lost');
  await assert.rejects(hypervisor.hostname(), troubleIs('closed', /sock: /));
  await lost;
});

async function open(path: string): Promise<Socket> {
  const socket = connectSocket(path);
  await once(socket, 'connect');
  return socket;
}
