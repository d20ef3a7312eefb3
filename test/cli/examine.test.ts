import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCommandLine } from '../../src/cli/arguments/arguments.ts';
import { examine } from '../../src/cli/examine.ts';
import { directory } from '../delivery/helpers.ts';

const root = new URL('../..', import.meta.url).pathname;

/** The answer to --check for a file, as the command line has it. */
function check(path: string, env: NodeJS.ProcessEnv = {}, ...args: string[]): Promise<string> {
  const command = parseCommandLine(['--config', path, '--check', ...args], env);
  assert.ok(command.kind === 'check');
  return examine(command.examined, env);
}

/** A place for files, and what --check says of a configuration whose `.` are that place. */
function place(t: Parameters<typeof directory>[0]) {
  const path = directory(t);
  const config = join(path, 'p.conf');
  const say = (text: string, env?: NodeJS.ProcessEnv): Promise<string> => {
    writeFileSync(config, text.replaceAll(/(?<= = )\.\//g, `${path}/`));
    return check(config, env);
  };
  const refused = async (text: string, message: RegExp): Promise<void> => {
    await assert.rejects(say(text), { name: 'ConfigError', message });
  };
  return { path, say, refused };
}

test('the shipped file: none as a service, text from a shell, wherever it is asked', async () => {
  const shipped = join(root, 'etc/proxtop.conf');
  for (const env of [{}, { NOTIFY_SOCKET: '/run/systemd/notify' }])
    assert.match(
      await check(shipped, env),
      /^ {2}output +as a service none; from a shell standard output; text$/m,
    );
  const given = await check(shipped, {}, '-o', 'tcp', '--target', 'h:1');
  assert.match(given, /^ {2}output tcp +tcp to h:1/m);
  assert.doesNotMatch(given, /as a service none/);
});

test('files of TLS and of secrets are opened', async (t) => {
  const { path, say, refused } = place(t);
  const tcp = '[output.a]\ntype = tcp\ntarget = h:1\n';
  for (const name of ['one', 'two'])
    execFileSync(
      'openssl',
      [
        ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days 2'.split(' '),
        ...['-keyout', join(path, `${name}.key`), '-out', join(path, `${name}.pem`)],
      ],
      { stdio: 'ignore' },
    );
  writeFileSync(join(path, 'two-lines'), 'a\nb\n');
  const tls = `${tcp}tls = true\n`;
  await refused(
    `${tls}tls_ca = ./none`,
    /cannot work:\n {2}output a: cannot read the file of tls_ca: ENOENT/,
  );
  await refused(`${tls}tls_ca = ./two-lines`, /output a: tls_ca .*two-lines: expected a certificate in PEM/);
  await refused(`${tls}tls_ca = ./`, /output a: cannot read the file of tls_ca: EISDIR/);
  await refused(`${tls}tls_cert = ./one.pem\ntls_key = ./two.key`, /tls_cert and tls_key do not match/);
  await refused(`${tcp}token_file = ./none`, /output a: cannot read the secret: ENOENT/);
  await refused(`${tcp}token_file = ./two-lines`, /output a: .*two-lines: expected a secret of one line/);
  await refused('[output.a]\nlisten = h:1\ntoken_file = ./none', /output a: cannot read the secret/);
  await refused(
    '[output.a]\ntype = http\ntarget = https://h/\ntls_ca = ./none\ntoken_file = ./none',
    /tls_ca[^]*secret/,
  );
  writeFileSync(join(path, 'token'), 'secret\n');
  const all = 'tls_ca = ./one.pem\ntls_cert = ./one.pem\ntls_key = ./one.key\ntoken_file = ./token';
  assert.doesNotMatch(await say(`${tls}${all}`), /mistake|Not checked/);
});

test('targets, spools and recordings are looked at, and nothing is made', async (t) => {
  const { path, say, refused } = place(t);
  mkdirSync(join(path, 'directory'));
  writeFileSync(join(path, 'lines'), '{}\n');
  linkSync(join(path, 'lines'), join(path, 'hard'));
  symlinkSync('lines', join(path, 'soft'));
  const file = (target: string, more = '', name = 'a'): string =>
    `[output.${name}]\ntype = file\ntarget = ${target}\n${more}\n`;
  await refused(file('./none/x'), /output a: .*none\/x: there is no directory .*none$/);
  await refused(file('./directory'), /output a: .*directory is a directory, expected a file$/);
  await refused(file('./lines/x'), /output a: .*ENOTDIR/);
  await refused(file('./lines', 'printer = msgpack'), /lines contains something other than msgpack$/);
  for (const link of ['hard', 'soft'])
    await refused(
      file('./lines') + file(`./${link}`, '', 'b'),
      /output b: it writes to the file of output a under another name$/,
    );
  await refused('record = ./none/x', /output record: .*there is no directory/);
  await refused('replay = ./none', /none: cannot read it: there is no such file$/);
  await refused('replay = ./p.conf', /p\.conf: found .*, expected samples that proxtop wrote/);
  await refused(
    'state_dir = ./lines\n[output.a]\ntype = tcp\ntarget = h:1\nspool = true',
    /output a: .*ENOTDIR/,
  );
  mkdirSync(join(path, 'open'));
  chmodSync(join(path, 'open'), 0o777);
  for (const where of ['./open', './open/deeper'])
    await refused(
      `state_dir = ${where}\n[output.a]\ntype = tcp\ntarget = h:1\nspool = true`,
      /output a: other users can write to .*open \(owner \d+, mode 0777\): expected a directory/,
    );
  rmdirSync(join(path, 'open'));
  await say(
    `state_dir = ./new/er\nrecord = ./recorded\n${file('./made')}[output.b]\ntype = tcp\ntarget = h:1\nspool = true`,
  );
  assert.deepEqual(readdirSync(path).sort(), ['directory', 'hard', 'lines', 'p.conf', 'soft']);
  assert.equal(readFileSync(join(path, 'lines'), 'utf8'), '{}\n');
});

test('what is valid and probably a mistake', async (t) => {
  const { say } = place(t);
  const doubts = async (text: string): Promise<string[]> => {
    const [, found = ''] = /^Probably a mistake:\n((?: {2}.*\n)*)/m.exec(await say(text)) ?? [];
    return found.split('\n').slice(0, -1);
  };
  const patterns = await doubts(
    '[output.a]\ntype = stdout\ninclude = web[0-9]*, db.*, ^x$, tag:a;b, tag:, name:x, Tag:x, 100-110, "q", web*, 100, tag:prod, a.b-c_d, vm?\nexclude = /x/',
  );
  assert.deepEqual(
    patterns.map((line) => /^ {2}output a: (\w+ ".*?"):/.exec(line)?.[1]),
    [
      'include "web[0-9]*"',
      'include "db.*"',
      'include "^x$"',
      'include "tag:a;b"',
      'include "tag:"',
      'include "name:x"',
      'include "Tag:x"',
      'include "100-110"',
      'include "\\"q\\""',
      'exclude "/x/"',
    ],
  );
  assert.match(
    String(await doubts('[output.a]\ntype = stdout\ninclude = x, y\nexclude = y, x, z')),
    /removes every included VM/,
  );
  assert.match(String(await doubts('[output.a]\ntype = stdout\nexclude = *')), /removes every included VM/);
  const influx = (target: string): Promise<string[]> =>
    doubts(`[output.a]\ntype = http\nprinter = influx\ntarget = http://h:8086${target}`);
  assert.match(String(await influx('')), /\/ is not a write path of InfluxDB/);
  assert.match(String(await influx('/query?db=p')), /\/query is not a write path/);
  assert.match(String(await influx('/write')), /has no db/);
  assert.match(String(await influx('/api/v2/write?org=o')), /has no bucket/);
  for (const target of [
    '/write?db=p',
    '/api/v2/write?org=o&bucket=b',
    '/insert/0/influx/write',
    '/api/v3/write_lp?db=p',
  ])
    assert.deepEqual(await influx(target), [], target);
  assert.match(
    String(await doubts('[output.a]\nlisten = h:1\nusername = u')),
    /username needs a password, a token_file/,
  );
  assert.match(String(await doubts('procfs = ./none')), /procfs: there is no directory/);
  assert.match(
    String(await doubts('netdev = lo, eno99')),
    /^ {2}netdev: there is no eno99 in \/sys\/class\/net$/,
  );
  assert.match(String(await doubts('storedev = sdzz')), /storedev: there is no sdzz in \/sys\/class\/block/);
  assert.deepEqual(await doubts('[output.a]\ntype = http\ntarget = http://h/any'), []);
});

test('where the unit as it is shipped lets the service read and write', async (t) => {
  const unit = readFileSync(join(root, 'systemd/proxtop.service'), 'utf8');
  for (const setting of [
    'ProtectSystem=strict',
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'LogsDirectory=proxtop',
    'StateDirectory=proxtop',
  ])
    assert.match(unit, new RegExp(`^${setting}$`, 'm'));
  assert.doesNotMatch(unit, /^ReadWritePaths=/m);
  const { say } = place(t);
  const service = async (text: string, env?: NodeJS.ProcessEnv): Promise<string> =>
    /^As a service, with the unit.*:\n((?: {2}.*\n)*)/m.exec(await say(text, env))?.[1] ?? '';
  const file = (target: string): string => `[output.a]\ntype = file\ntarget = ${target}\n`;
  assert.match(
    await service(file('/var/log/x.json')),
    /the service cannot write to \/var\/log\/x\.json, only below/,
  );
  assert.match(await service(file('/var/tmp/x.json')), /only the service itself will see .*\(PrivateTmp=\)/);
  assert.match(await service(file('x.json')), /would look for x\.json in \/; use an absolute path/);
  assert.match(
    await service('[output.a]\nlisten = h:1\ntoken_file = ./p.conf').catch(String),
    /expected a secret/,
  );
  // The first start makes it.
  const logs = await service(file('/var/log/proxtop/x.json'));
  assert.ok(
    logs === '' || /there is no directory \/var\/log\/proxtop, which the first start/.test(logs),
    logs,
  );
  assert.equal(
    await service(file('/var/log/x.json'), { NOTIFY_SOCKET: '/run/x' }),
    '',
    'asked within the unit',
  );
});
