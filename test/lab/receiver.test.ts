import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { LineReceiver } from './receiver.ts';

test('lines are collected over connections and chunks, and awaited by number and by content', async () => {
  const receiver = await LineReceiver.create();
  const third = receiver.nth(3);
  const sender = connect(receiver.port, '127.0.0.1');
  sender.write('one\ntw');
  assert.equal(await receiver.nth(1), 'one');
  sender.resume().end('o\n');
  await once(sender, 'close');
  assert.equal(await receiver.first((line) => line.startsWith('t')), 'two');
  await send(receiver.port, 'three\n');
  assert.equal(await third, 'three');
  assert.deepEqual(receiver.lines, ['one', 'two', 'three']);
  assert.equal(receiver.connections, 2);
  await receiver.kill();
});

test('kill resets connections and refuses new ones; restart listens on the same port', async () => {
  const receiver = await LineReceiver.create();
  const port = receiver.port;
  const sender = connect(port, '127.0.0.1');
  sender.write('first\n');
  await receiver.nth(1);
  const reset = once(sender, 'error');
  await receiver.kill();
  assert.equal(((await reset)[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
  const [refused] = (await once(connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
  assert.equal(refused.code, 'ECONNREFUSED');

  await receiver.restart();
  assert.equal(receiver.port, port);
  const next = receiver.next();
  await send(port, 'second\n');
  assert.equal(await next, 'second');
  await receiver.kill();
});

async function send(port: number, text: string): Promise<void> {
  const socket = connect(port, '127.0.0.1').end(text).resume();
  await once(socket, 'close');
}
