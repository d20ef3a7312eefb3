// Monitors of 64 VMs that do not exist, each hostile in its own way. Fakes, because no QEMU does such things. Run by
// attackers.ts with a directory; says "ready" when all listen.
import { createServer } from 'node:net';
import { join } from 'node:path';

const directory = process.argv[2];
const GREETING = '{"QMP": {"version": {}, "capabilities": []}}\r\n';
const MIB = 2 ** 20;

/** Answers all commands: the one for `evil` with a text, the others as QEMU does. */
function answers(commands, evil, text) {
  return commands
    .map(({ execute, id }) => {
      const own = id === undefined ? '' : `"id":"${id}",`;
      return `{${own}"return":${execute === evil ? text() : usual(execute)}}\r\n`;
    })
    .join('');
}

function usual(execute) {
  if (execute === 'query-status') return '{"status":"running","running":true}';
  return execute.startsWith('query-block') ? '[]' : '{}';
}

const disk = (n) =>
  `{"device":"d${n}","node-name":"n","qdev":"q${n}","stats":{"rd_operations":${n},"wr_operations":1,"rd_bytes":1,"wr_bytes":1}}`;
const list = (count, entry) => `[${Array.from({ length: count }, (_, n) => entry(n)).join(',')}]`;
const padded = (part, end, bytes) => part.repeat(Math.floor(bytes / part.length)) + end;
const texts = {
  deep: () => `[${padded('[', '', 4 * MIB)}`,
  'deep but small': () => padded('[', '', 100_000) + padded(']', '', 100_000),
  objects: () => `[${padded('{},', '{}', MIB - 4000)}]`,
  'most objects': () => `[${padded('{},', '{}', 140_000)}]`,
  keys: () => `{${Array.from({ length: 99_000 }, (_, n) => `"${n.toString(36)}":0`).join(',')}}`,
  '256 disks': () => list(256, disk),
  '257 disks': () => list(257, disk),
  '20000 disks': () => list(20_000, disk),
  'one disk often': () => list(256, () => disk(1)),
  'long names': () => list(20, (n) => disk(n + 'x'.repeat(40_000))),
  prototype: () =>
    `[{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"device":"__proto__","stats":{"__proto__":1}}]`,
  numbers: () =>
    list(
      100,
      (n) =>
        `{"device":"d${n}","node-name":"n","stats":{"rd_operations":1e999,"wr_operations":-1,"rd_bytes":18446744073709551615}}`,
    ),
};

const ways = [
  ...Object.values(texts).map((text) => (socket) => {
    socket.write(GREETING);
    socket.once('data', (data) => {
      const commands = data
        .toString()
        .split(/(?<=\})(?=\{"execute")/)
        .map((line) => JSON.parse(line));
      socket.write(answers(commands, 'query-blockstats', text));
    });
  }),
  // It never greets.
  () => undefined,
  // Without end, before and after the greeting.
  (socket) => endless(socket, 'x'.repeat(65536)),
  (socket) => (
    socket.write(GREETING),
    socket.once('data', () => endless(socket, '{"event":"A"}\r\n'.repeat(4000)))
  ),
  (socket) => (socket.write(GREETING), endless(socket, GREETING.repeat(1000))),
  // Byte by byte.
  (socket) => drip(socket, GREETING),
  (socket) => (
    socket.write(GREETING),
    socket.once('data', () => drip(socket, '{"return": {}, "id": "x"}\r\n'.repeat(1000)))
  ),
  // Words for the log.
  (socket) =>
    socket.end(
      `${GREETING}{"error":{"class":"x","desc":"\\u001b]0;pwned\\u0007${'y'.repeat(MIB / 2)}"}}\r\n`,
    ),
  (socket) => socket.end('\u001b[2J\u0000\u009b'.repeat(10_000)),
];

function endless(socket, text) {
  const more = () => {
    while (socket.writable && socket.write(text));
  };
  socket.on('drain', more);
  more();
}

function drip(socket, text) {
  let at = 0;
  const timer = setInterval(() => socket.write(text[at++ % text.length]), 1);
  socket.on('close', () => clearInterval(timer));
}

let listening = 0;
const count = Number(process.argv[3]);
for (let n = 0; n < count; n++) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    ways[n % ways.length](socket);
  });
  server.listen(join(directory, `${n}.qmp`), () => {
    if (++listening === count) process.stdout.write('ready\n');
  });
}
