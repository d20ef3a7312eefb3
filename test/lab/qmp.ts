import { connect } from 'node:net';

const DEADLINE = 180_000;

interface Answer {
  readonly id?: unknown;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

/**
 * Sends one command to a QMP socket over a connection of its own and gives what it returns. Independent of src/qmp,
 * so that the tests have a second opinion.
 * @throws Error when QEMU refuses the command, closes the connection or does not answer within a minute
 */
export async function qmp(
  path: string,
  command: string,
  args: Record<string, unknown> = {},
): Promise<unknown> {
  const socket = connect(path);
  socket.setTimeout(DEADLINE, () => {
    socket.destroy(new Error(`${path}: no answer to ${command} within ${DEADLINE} ms`));
  });
  socket.setEncoding('utf8');
  socket.write('{"execute":"qmp_capabilities"}\n');
  socket.write(`${JSON.stringify({ execute: command, arguments: args, id: command })}\n`);
  try {
    let text = '';
    for await (const chunk of socket as AsyncIterable<string>) {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const answer = JSON.parse(line) as Answer;
        // The greeting, the answer to qmp_capabilities and events carry no id. That answer is an error where QEMU, which
        // hung, carried out for us what a client before us had sent and not waited for.
        if (answer.id !== command) continue;
        if (answer.error !== undefined) throw new Error(`${path}: ${command}: ${answer.error.desc}`);
        return answer.return;
      }
    }
    throw new Error(`${path}: closed before it answered ${command}`);
  } finally {
    socket.destroy();
  }
}
