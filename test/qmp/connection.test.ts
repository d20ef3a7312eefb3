import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Connection } from '../../src/qmp/connection.ts';

const GREETING = 'hi\n';

/** Waits for a greeting, sends a line and hears the echo. @returns all that was heard */
async function converse(path: string, text: string): Promise<string> {
  let heard = '';
  return new Promise((resolve) => {
    const connection = Connection.to(path, {
      received: (chunk) => {
        heard += chunk.toString();
        if (heard === GREETING) connection.send(text);
        else if (heard.endsWith('\n')) connection.end();
      },
      failed: ({ code }) => {
        heard += code ?? '';
      },
      closed: () => {
        // Later connections of the same socket must not reach this one.
        resolve(heard);
        heard += ' closed';
      },
    });
  });
}

async function echo(path: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).pipe(socket);
    socket.write(GREETING);
  });
  server.listen(path);
  await once(server, 'listening');
  return server;
}

test('a socket that ended, failed or was closed by the other side serves again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-connection-'));
  const path = join(directory, 'echo');
  const server = await echo(path);
  const closing = createServer((socket) => {
    socket.on('error', () => undefined).end('bye');
  });
  closing.listen(join(directory, 'closing'));
  await once(closing, 'listening');
  try {
    for (let round = 0; round < 50; round++) {
      assert.equal(await converse(path, `round ${round}\n`), `${GREETING}round ${round}\n`);
      assert.equal(await converse(join(directory, 'none'), 'x'), 'ENOENT');
      assert.equal(await converse(join(directory, 'closing'), 'x'), 'bye');
    }
    const many = Array.from({ length: 40 }, (_, index) => converse(path, `one of many ${index}\n`));
    assert.deepEqual(
      await Promise.all(many),
      many.map((_, index) => `${GREETING}one of many ${index}\n`),
    );
  } finally {
    server.close();
    closing.close();
    rmSync(directory, { recursive: true });
  }
});
