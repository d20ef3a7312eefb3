/**
 * The worked example of docs/profiler.md: two VMs, one that is busy and still by turns of three seconds and one that
 * works half of the time, profiled for two minutes. `--seconds N` changes that.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { alternate } from './alternate.ts';
import { Lab } from './lab.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/proxprofiler', import.meta.url));
const TURN = 3000;

const { seconds } = parseArgs({ options: { seconds: { type: 'string', default: '120' } } }).values;
const lab = Lab.create();
const end = new AbortController();
try {
  const turns = await lab.run({ name: 'turns', guest: 'spin', load: 8 });
  const half = await lab.run({ name: 'half', guest: 'spin', load: 4 });
  const flags = ['--cpu', '--fixedbound', '--buffersize=1', '--outputfreq=24h', `--runs=${seconds}`];
  const child = spawn(PROGRAM, [...flags, '--proxmox', '--log-level=warn', ...lab.flags()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const alternating = alternate(lab, turns, TURN, end.signal);
  const [lines] = await Promise.all([text(child.stdout), once(child, 'close')]);
  end.abort();
  await alternating;
  const file = join(lab.root, 'profiles.json');
  writeFileSync(file, lines);
  console.log(lines);
  for (const { name, uuid } of [turns, half]) console.log(`${uuid} is ${name}`);
  console.log(execFileSync(PROGRAM, ['--input', file, '--plot'], { encoding: 'utf8' }));
} finally {
  end.abort();
  await lab.close();
}
