import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { PROXTOP, Program, proxtop } from '../e2e/program.ts';
import { NOBODY, directoryOf } from './attackers.ts';

const PROXPROFILER = join(PROXTOP, '../proxprofiler');
const skip = process.getuid?.() !== 0 && 'needs root, to have files of others';
const options = { skip, timeout: 240_000 };

function mode(path: string): string {
  return (statSync(path).mode & 0o7777).toString(8);
}

/** Runs a program with the umask of the service. */
function confined(t: TestContext, program: string, args: readonly string[]): Program {
  const child = spawn('sh', ['-c', 'umask 077; exec "$@"', 'sh', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  return new Program(child);
}

test(
  'an output or a recording goes through no link of a directory that others may write to',
  options,
  async (t) => {
    const directory = directoryOf(t, 0);
    chmodSync(directory, 0o777);
    const precious = join(directoryOf(t, 0), 'precious');
    writeFileSync(precious, 'as it was');
    const path = join(directory, 'samples.json');
    symlinkSync(precious, path);
    for (const args of [[`--record=${path}`], ['--output=file', `--target=${path}`]]) {
      const { code, stderr } = await proxtop(['--qemu', '--runs=1', ...args]);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /cannot open .*samples\.json for writing: other users can write to .* \(owner 0, mode 0777\)/,
      );
    }
    assert.equal(readFileSync(precious, 'utf8'), 'as it was');
  },
);

test(
  'with the umask of the service: recordings are private, the report for status is not',
  options,
  async (t) => {
    const rundir = directoryOf(t, 0);
    const recording = join(directoryOf(t, 0), 'samples.json');
    const running = confined(t, PROXTOP, [
      '--qemu',
      '--output=file',
      `--target=${recording}`,
      `--rundir=${rundir}`,
    ]);
    const reports = join(rundir, 'proxtop');
    const status = async (): Promise<number | null> => (await proxtop(['status', `--rundir=${rundir}`])).code;
    while ((await status()) === 1) assert.equal(running.child.exitCode, null, running.stderr);
    const [report = ''] = readdirSync(reports);
    assert.equal(mode(reports), '755');
    assert.equal(mode(join(reports, report)), '644');
    assert.equal(mode(recording), '600');
    await running.stop();
  },
);

test('a report of another user is not believed, nor one that is a link or a pipe', options, async (t) => {
  const rundir = directoryOf(t, 0);
  const running = confined(t, PROXTOP, ['--qemu', '--printer=json', `--rundir=${rundir}`]);
  await running.until('a sample', () => running.stdout !== '');
  const directory = join(rundir, 'proxtop');
  const real = join(directory, `${running.pid}.status`);
  const forged = JSON.stringify({ ...JSON.parse(readFileSync(real, 'utf8')), version: 'forged' });
  await running.stop();
  writeFileSync(join(directory, 'a.status'), forged);
  chownSync(join(directory, 'a.status'), NOBODY, NOBODY);
  symlinkSync('a.status', join(directory, 'b.status'));
  const pipe = spawn('mkfifo', [join(directory, 'c.status')]);
  await new Program(pipe).end();
  const { code, stderr } = await proxtop(['status', `--rundir=${rundir}`]);
  assert.equal(code, 1);
  assert.match(stderr, /^no proxtop is running/);
});

test('profiles are kept in no directory that others may write to, and follow no link', options, async (t) => {
  const args = ['--qemu', '--cpu', '--runs=1'];
  const strangers = directoryOf(t, NOBODY);
  const refused = await confined(t, PROXPROFILER, [...args, `--state-dir=${strangers}`]).end();
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    /^proxprofiler: state_dir = .*: other users can write to .* \(owner 65534, mode 0755\)/,
  );
  const own = directoryOf(t, 0);
  const precious = join(directoryOf(t, 0), 'precious');
  writeFileSync(precious, 'as it was');
  symlinkSync(precious, join(own, 'profiles.state.new'));
  const { code, stderr } = await confined(t, PROXPROFILER, [...args, `--state-dir=${own}`]).end();
  assert.equal(code, 0, stderr);
  assert.equal(readFileSync(precious, 'utf8'), 'as it was');
  assert.equal(mode(join(own, 'profiles.state')), '600');
});
