import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { PROXTOP, Program, proxtop } from './program.ts';
import type { End } from './program.ts';

const directory = mkdtempSync(join(tmpdir(), 'proxtop-check-'));
chmodSync(directory, 0o755);
after(() => {
  rmSync(directory, { recursive: true });
});

function file(name: string, content: string, mode = 0o644): string {
  const path = join(directory, name);
  writeFileSync(path, content, { mode });
  return path;
}

/** Asks --check as a user who may do nothing. */
function asNobody(config: string): Promise<End> {
  const command = [
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    PROXTOP,
    '--config',
    config,
    '--check',
  ];
  return new Program(spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'pipe'] })).end();
}

describe('--check', { concurrency: 2 }, () => {
  const asRoot = { skip: process.geteuid?.() !== 0 && 'needs root, to be somebody else' };

  test('of a file that only root may read says so, and sudo', asRoot, async () => {
    const { code, stdout, stderr } = await asNobody(file('root.conf', '', 0o640));
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(
      stderr,
      /root\.conf: cannot read the configuration file: no permission to read it; it is root's: try sudo\n$/,
    );
  });

  test('needs no root where it can do without, and lists what only root may look at', asRoot, async () => {
    mkdirSync(join(directory, 'closed'), { mode: 0o700 });
    const secret = file('secret', 'SECRET', 0o600);
    const config = file(
      'files.conf',
      [
        `[output.a]\ntype = http\ntarget = http://h/x\ntoken_file = ${secret}`,
        `[output.b]\ntype = file\ntarget = ${directory}/new`,
        `[output.c]\ntype = file\ntarget = ${directory}/closed/x`,
      ].join('\n'),
    );
    const { code, stdout, stderr } = await asNobody(config);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(
      stdout,
      /^Not checked, for lack of permission \(use sudo\):\n {2}output a: cannot read the secret: EACCES/m,
    );
    assert.match(stdout, /^ {2}output b: EACCES: permission denied, access/m);
    assert.match(stdout, /^ {2}output c: EACCES: permission denied, stat/m);
    const root = await proxtop(['--config', config, '--check']);
    assert.equal(root.code, 0);
    assert.doesNotMatch(root.stdout, /Not checked|SECRET/);
    // What is missing for root is missing for the user nobody too.
    const wrong = await asNobody(file('wrong.conf', `[output.a]\ntype = file\ntarget = ${directory}/none/x`));
    assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
    assert.match(wrong.stderr, /but cannot work:\n {2}output a: .*there is no directory/);
  });

  test('what a terminal obeys in a file stays away from it', async () => {
    const config = file('escapes.conf', '[output.a]\ntype = stdout\ninclude = a\u001b[2J\u009b\u202eb\n');
    const wrong = file('escape.conf', 'fre\u001b[2Jquency = 1\n');
    for (const { stdout, stderr } of [
      await proxtop(['--config', config, '--check']),
      await proxtop(['--config', wrong, '--check']),
      await proxtop(['--config', join(directory, '\u001b[2J\u202e')]),
      await proxtop(['\u009b2J']),
    ]) {
      assert.notEqual(stdout + stderr, '');
      assert.doesNotMatch((stdout + stderr).replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
    }
  });

  test('names the nodes that are watched together, and reaches for none', async () => {
    const nodes = ['--hosts', 'no-such-host.invalid,admin@kvm2:2222,localhost'];
    const { code, stdout, stderr } = await proxtop([...nodes, '--check']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^ *nodes +no-such-host\.invalid, admin@kvm2:2222, localhost$/m);
    assert.match(
      (await proxtop(['--cluster', '--check'])).stdout,
      /^ *nodes +all of the cluster of Proxmox VE$/m,
    );
  });

  test('a configuration from a pipe is read to its end', async () => {
    const script = 'exec "$0" --check --config <(echo "frequency = 2"; sleep 0.1; echo "runs = 3")';
    const child = spawn('bash', ['-c', script, PROXTOP], { stdio: ['ignore', 'pipe', 'pipe'] });
    const { code, stdout } = await new Program(child).end();
    assert.equal(code, 0);
    assert.match(stdout, /every 2 seconds, 3 times/);
  });

  test('on a terminal, the view; as a service, nothing', () => {
    const config = file('empty.conf', '');
    const command = `${PROXTOP} --config ${config} --check`;
    const said = execFileSync('script', ['-qec', command, '/dev/null'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    assert.match(
      said.toString(),
      /history +from a shell none; as a service means over 10 seconds[^]*view +on this terminal[^]*output +none/,
    );
  });
});
