// Takes connections and writes what each of them sends to a file of its own, until it is killed. In JavaScript, so that
// it starts at once. Arguments: directory, port, prefix of the file names.
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const [directory, port, prefix] = process.argv.slice(2);
let connections = 0;
createServer((socket) => {
  const fd = openSync(join(directory, `${prefix}-${++connections}`), 'w');
  socket.on('data', (data) => writeSync(fd, data));
  socket.on('error', () => {});
}).listen(Number(port), () => process.stdout.write('listening\n'));
