import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { proxtop } from '../e2e/program.ts';
import { directory, freePort, until } from '../delivery/helpers.ts';
import { Lab, missingForLab } from '../lab/lab.ts';
import { unpackedPackage, type Suite } from '../lab/debian-packages.ts';

const shipped = new URL('../../docs/integrations/syslog-ng/proxtop.conf', import.meta.url);

const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;

/** A program that is not installed, and how it is run. */
interface Unpacked {
  readonly program: string;
  readonly modules: string;
  readonly libraries: string;
}

/** The package cannot be installed beside rsyslog. @throws Error where it cannot be had */
async function syslogNg(): Promise<Unpacked> {
  const release = readFileSync('/etc/os-release', 'utf8');
  const suite = (/^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] ?? 'sid') as Suite;
  const needed = ['libivykis0', 'libnet1', 'libpcre3', 'libwrap0'];
  const own = await unpackedPackage(suite, 'syslog-ng-core');
  const others: string[] = [];
  // Not in each suite under this name; where one is missing, the program says so.
  for (const name of needed) others.push(await unpackedPackage(suite, name).catch(() => ''));
  const found = (roots: readonly string[], pattern: string): string[] =>
    roots
      .filter((root) => root !== '')
      .flatMap((root) =>
        execFileSync('find', [root, '-name', pattern], { encoding: 'utf8' })
          .split('\n')
          .filter((line) => line !== ''),
      );
  const [socket = ''] = found([own], 'libafsocket.so');
  const libraries = found([own, ...others], 'lib*.so.*').map((path) => dirname(path));
  return {
    program: join(own, 'usr/sbin/syslog-ng'),
    modules: dirname(socket),
    libraries: [...new Set(libraries)].join(':'),
  };
}

test(
  'the shipped configuration of syslog-ng writes every line, and those of VMs apart',
  { skip },
  async (t: TestContext) => {
    let unpacked: Unpacked;
    try {
      unpacked = await syslogNg();
    } catch (error) {
      t.skip((error as Error).message);
      return;
    }
    const path = directory(t);
    const port = await freePort();
    const config = readFileSync(shipped, 'utf8')
      .replaceAll('/var/log/', `${path}/`)
      .replace('port(12345)', `ip("127.0.0.1") port(${port})`);
    const { program, modules, libraries } = unpacked;
    const env = { ...process.env, LD_LIBRARY_PATH: libraries };
    const version = /\b(\d+\.\d+)\.\d+/.exec(
      execFileSync(program, ['--version'], { env, encoding: 'utf8' }),
    )?.[1];
    writeFileSync(join(path, 'syslog-ng.conf'), `@version: ${version ?? ''}\n${config}`);
    const files = ['persist-file', 'pidfile', 'control'].map((name) => `--${name}=${join(path, name)}`);
    const args = [
      '-F',
      '--no-caps',
      `--cfgfile=${join(path, 'syslog-ng.conf')}`,
      `--module-path=${modules}`,
      ...files,
    ];
    const daemon = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    daemon.stderr.on('data', (data: Buffer) => (complaints += data.toString()));
    const ended = once(daemon, 'exit');
    t.after(async () => {
      daemon.kill('SIGKILL');
      await ended;
    });
    await until(() => {
      assert.equal(daemon.exitCode, null, complaints);
      return existsSync(join(path, 'control'));
    }, 'it runs');

    const lab = Lab.create();
    t.after(() => lab.close());
    await lab.run({ guest: 'idle' });
    const flags = [
      ...lab.flags(),
      '--proxmox',
      '--output=tcp',
      `--target=127.0.0.1:${port}`,
      '--printer=json',
      '--layout=event',
    ];
    const { code, stderr } = await proxtop([...flags, '--runs=3', '--frequency=0.2', '--cpu', '--host']);
    assert.equal(code, 0, stderr);
    const rows = (file: string): { type: string; event_id: string; seq: number }[] =>
      existsSync(join(path, file))
        ? readFileSync(join(path, file), 'utf8')
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line) as { type: string; event_id: string; seq: number })
        : [];
    await until(
      () => rows('proxtop.json').some(({ seq, type }) => seq === 3 && type === 'agent_output'),
      'all lines are there',
    );
    const all = rows('proxtop.json');
    assert.equal(new Set(all.map(({ event_id }) => event_id)).size, all.length);
    assert.equal(all.filter(({ type }) => type === 'host').length, 3);
    assert.equal(rows('proxtop-vms.json').length, 3);
    assert.deepEqual(
      rows('proxtop-vms.json'),
      all.filter(({ type }) => type === 'vm'),
    );
    assert.equal(complaints, '');
  },
);
