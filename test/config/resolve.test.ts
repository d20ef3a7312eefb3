import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectorNames } from '../../src/catalogue/catalogue.ts';
import { readEnvironment } from '../../src/config/layers/environment.ts';
import { parseConfig } from '../../src/config/file/file.ts';
import { resolveSettings } from '../../src/config/resolve.ts';
import { resolveThresholds } from '../../src/config/thresholds.ts';
import type { Settings } from '../../src/config/settings.ts';

/** Settings of a file and an environment. */
function settings(file: string | undefined, env: NodeJS.ProcessEnv = {}): Settings {
  const layer = file === undefined ? undefined : parseConfig(file, 'p.conf');
  return resolveSettings(layer, readEnvironment(env), readEnvironment({}));
}

function refuses(file: string, message: string | RegExp, env: NodeJS.ProcessEnv = {}): void {
  assert.throws(() => settings(file, env), { name: 'ConfigError', message });
}

const print = { layout: 'cycle', verbose: false, devices: false, human: false, names: 'proxtop' } as const;
const queue = { maxBytes: 64 * 1024 * 1024, whenFull: 'drop_oldest' } as const;

test('the defaults', () => {
  assert.deepEqual(settings(undefined), {
    frequency: 1,
    runs: Infinity,
    detailInterval: undefined,
    latencyHistogram: false,
    watched: undefined,
    collectors: ['cpu', 'mem', 'disk', 'net', 'io'],
    netdev: undefined,
    storedev: undefined,
    nicRows: undefined,
    diskRows: undefined,
    connector: 'auto',
    connection: 'qemu:///system',
    guests: 'all',
    roots: { procfs: '/proc', sysfs: '/sys', cgroupfs: '/sys/fs/cgroup', rundir: '/run', pvedir: '/etc/pve' },
    runDir: '/run',
    stateDir: '/var/lib/proxtop',
    record: undefined,
    history: undefined,
    replay: undefined,
    thresholds: resolveThresholds(new Map()),
    logLevel: 'info',
    outputs: [{ name: 'stdout', type: 'stdout', printer: 'text', print }],
  });
});

test('a service keeps a history of what needs no hardware to be asked; others do if they are told to', () => {
  const measured = collectorNames.filter((name) => name !== 'sensors' && name !== 'energy');
  const kept = {
    directory: '/var/lib/proxtop/history',
    interval: 10,
    keep: 3 * 86_400,
    maxBytes: 2 ** 30,
    collectors: measured,
  };
  const service = { NOTIFY_SOCKET: '/run/notify' };
  const { history, collectors, outputs } = settings('', service);
  assert.deepEqual([history, outputs], [kept, []]);
  assert.deepEqual(collectors, ['cpu', 'mem', 'disk', 'net', 'io'], 'those of outputs');
  assert.deepEqual(settings('collectors = cpu', service).history?.collectors, ['cpu'], 'as the file says');
  assert.equal(settings('[history]\nenabled = no', service).history, undefined);
  assert.equal(settings('', { ...service, PROXTOP_HISTORY: 'false' }).history, undefined);
  assert.deepEqual(
    settings('state_dir = /s\n[history]\nenabled = yes\ninterval = 30\nkeep = 2 weeks\nmax = 64M').history,
    {
      directory: '/s/history',
      interval: 30,
      keep: 14 * 86_400,
      maxBytes: 2 ** 26,
      collectors: measured,
    },
  );
  assert.equal(settings('frequency = 3', service).history?.interval, 12, 'whole samples');
  assert.equal(settings('frequency = 60', service).history?.interval, 60);
  refuses('[history]\ninterval = 2.5', /interval: found "2\.5", expected a multiple of the frequency/);
  refuses('[history]\nkeep = 3', /keep: found "3", expected a time from 1h to 3650d, such as 12h or 3 days/);
  refuses('keep = 3d', /unknown key; it belongs in \[history\]/);
});

test('a file with several outputs, each with its own printing', () => {
  const { outputs, collectors, connector } = settings(`
collectors = host, psi, cpu
verbose = true
[connector]
type = proxmox
[output.logs]
type = tcp
target = logs.example:12345
verbose = false
queue_bytes = 128K
when_full = drop_newest
timeout = 2.5
[output.rows]
type = udp
target = [::1]:5000
max_datagram = 1472
[output.disk]
type = file
target = /var/log/proxtop.json
layout = event
names = original
[output.screen]
type = stdout
human = yes`);
  assert.deepEqual(collectors, ['cpu', 'pressure', 'host']);
  assert.equal(connector, 'proxmox');
  assert.deepEqual(outputs, [
    {
      name: 'logs',
      type: 'tcp',
      host: 'logs.example',
      port: 12345,
      printer: 'json',
      print,
      queue: { maxBytes: 131072, whenFull: 'drop_newest' },
      timeout: 2.5,
      // One that was switched off is delivered.
      leftSpool: '/var/lib/proxtop/logs',
    },
    {
      name: 'rows',
      type: 'udp',
      host: '::1',
      port: 5000,
      printer: 'json',
      print: { ...print, layout: 'event', verbose: true },
      maxDatagram: 1472,
    },
    {
      name: 'disk',
      type: 'file',
      path: '/var/log/proxtop.json',
      printer: 'json',
      print: { ...print, layout: 'event', verbose: true, names: 'original' },
      queue,
    },
    { name: 'screen', type: 'stdout', printer: 'text', print: { ...print, verbose: true, human: true } },
  ]);
});

test("the original's file streams JSON over tcp", () => {
  const { outputs } = settings('PROXTOP_TARGET=192.0.2.1:12345\nPROXPROFILER_PARAMS="--states 4"\n');
  const tcp = { type: 'tcp', host: '192.0.2.1', port: 12345, printer: 'json', print, queue, timeout: 30 };
  assert.deepEqual(outputs, [
    { name: 'PROXTOP_TARGET', ...tcp, leftSpool: '/var/lib/proxtop/PROXTOP_TARGET' },
  ]);
  // systemd can also put that file into the environment, as the original's unit did.
  assert.deepEqual(settings(undefined, { PROXTOP_TARGET: '192.0.2.1:12345' }).outputs, [
    { name: 'tcp', ...tcp },
  ]);
});

test('the environment wins over the file, also over the keys of an output', () => {
  const { frequency, runs, outputs } = settings(
    'frequency = 2\nruns = 3\n[output.a]\ntype = stdout\nverbose = false',
    {
      PROXTOP_FREQUENCY: '0.5',
      PROXTOP_RUNS: '',
      PROXTOP_VERBOSE: 'true',
    },
  );
  assert.deepEqual([frequency, runs, outputs[0]?.print.verbose], [0.5, 3, true]);
});

test('an output of the environment replaces those of the file', () => {
  const file = '[output.a]\ntype = stdout\n[output.b]\ntype = stdout';
  const { outputs } = settings(file, {
    PROXTOP_OUTPUT: 'file',
    PROXTOP_TARGET: '/tmp/x',
    PROXTOP_QUEUE_BYTES: '1M',
  });
  assert.deepEqual(outputs, [
    {
      name: 'file',
      type: 'file',
      path: '/tmp/x',
      printer: 'json',
      print,
      queue: { ...queue, maxBytes: 1048576 },
    },
  ]);
  refuses(file, /^PROXTOP_PRINTER: applies to an output that is described with --output/, {
    PROXTOP_PRINTER: 'json',
  });
});

test('detail_interval follows a longer frequency, but is never silently changed', () => {
  assert.equal(settings('frequency = 10').detailInterval, undefined);
  assert.equal(settings('frequency = 10\ndetail_interval = 20').detailInterval, 20);
  assert.equal(settings('frequency = 0.2\ndetail_interval = 0.2').detailInterval, 0.2);
  refuses(
    'frequency = 2\ndetail_interval = 1',
    'p.conf:2, detail_interval: found "1", expected the frequency or more, which is 2 seconds (p.conf:1, frequency)',
  );
});

test('a wrong value names file, line, section, key, what was found and what was expected', () => {
  refuses(
    'frequency = abc',
    'p.conf:1, frequency: found "abc", expected a number of seconds from 0.1 to 86400',
  );
  refuses('verbose = maybe', 'p.conf:1, verbose: found "maybe", expected true or false');
  refuses('runs =', /^p\.conf:1, runs: found "", expected a whole number from 1, or endless$/);
  refuses(
    'collectors = cpu, memm',
    /^p\.conf:1, collectors: found "memm", expected .*; did you mean "mem"\?$/,
  );
  refuses(
    'log_level = warning',
    /^p\.conf:1, log_level: found "warning", expected debug, info, warn or error/,
  );
  refuses(
    '[output.a]\ntype = tcp\ntarget = a:1\nprinter = jsn',
    'p.conf:4, [output.a] printer: found "jsn", expected json, influx, msgpack, csv, text, esxtop, otlp or remote-write; did you mean "json"?',
  );
  refuses('[output.a]\ntype = tpc', /^p\.conf:2, \[output\.a\] type: found "tpc", .*did you mean "tcp"\?$/);
  refuses('[output.a]\ntype = stdout\nverbose = maybe', /^p\.conf:3, \[output\.a\] verbose: found "maybe"/);
  refuses('[connector]\ntype = proxmx', /^p\.conf:2, \[connector\] type: .*did you mean "proxmox"\?$/);
  refuses(
    '[connector]\nconnection = xen:///system',
    /^p\.conf:2, \[connector\] connection: libvirt URI "xen:\/\/\/system": the driver xen is not supported, only qemu is$/,
  );
  refuses('PROXTOP_TARGET=host', /^p\.conf:1, PROXTOP_TARGET: found "host", expected a port after the host/);
});

test('a connection that is given means libvirt', () => {
  const connector = (text: string): [string, string] => {
    const found = settings(`[connector]\n${text}`);
    return [found.connector, found.connection];
  };
  assert.deepEqual(connector('type = qemu'), ['qemu', 'qemu:///system']);
  assert.deepEqual(connector('type = libvirt'), ['libvirt', 'qemu:///system']);
  assert.deepEqual(connector('connection = qemu:///session'), ['libvirt', 'qemu:///session']);
  assert.deepEqual(connector('type = auto\nconnection = qemu:///system'), ['libvirt', 'qemu:///system']);
  for (const type of ['proxmox', 'qemu']) {
    refuses(
      `[connector]\ntype = ${type}\nconnection = qemu:///system`,
      `p.conf:3, [connector] connection: found "qemu:///system", but p.conf:2, [connector] type says ${type}; give one of them`,
    );
  }
});

test('of a libvirt elsewhere only what is mounted here and given is read', () => {
  const roots = (connection: string, rest = ''): unknown =>
    Object.values(settings(`${rest}\n[connector]\nconnection = ${connection}`).roots);
  const here = Object.values(settings(undefined).roots);
  for (const uri of ['qemu:///system', 'qemu+unix:///system?socket=/a'])
    assert.deepEqual(roots(uri), here, uri);
  const nowhere = here.map(() => '/dev/null');
  for (const uri of ['qemu+ssh://a/system', 'qemu+tcp://a/system', 'qemu://a/system', 'qemu+ssh:///system'])
    assert.deepEqual(roots(uri), nowhere, uri);
  assert.deepEqual(roots('qemu+ssh://a/system', 'procfs = /proc'), ['/proc', ...nowhere.slice(1)]);
});

test('what keeps and protects a delivery', () => {
  const tcp = '[output.logs]\ntype = tcp\ntarget = a:1\n';
  const [plain] = settings(`${tcp}spool = false\nspool_max = 20M\ntls = no\ntls_ca = /ca.pem`).outputs;
  assert.ok(plain !== undefined && !('spool' in plain) && !('tls' in plain));
  const own = 'spool = true\ntls = true\ntls_ca = /ca.pem\ntls_servername = logs\ntoken_file = /token\n';
  const { outputs, stateDir } = settings(`state_dir = /srv/state\n${tcp}${own}catchup = .25`);
  assert.equal(stateDir, '/srv/state');
  assert.deepEqual(outputs, [
    {
      name: 'logs',
      type: 'tcp',
      host: 'a',
      port: 1,
      printer: 'json',
      print,
      queue,
      timeout: 30,
      spool: { directory: '/srv/state/logs', maxBytes: 2 ** 30, sync: 0.5, catchup: 0.25 },
      tls: { ca: '/ca.pem', servername: 'logs' },
      tokenFile: '/token',
    },
  ]);
  const [file] = settings('[output.f]\ntype = file\ntarget = /f\nrotate_size = 10M').outputs;
  assert.deepEqual(file && 'rotation' in file && file.rotation, { size: 10 << 20, keep: 5 });
});

test('the state directory of systemd wins over the default only', () => {
  const systemd = { STATE_DIRECTORY: '/var/lib/a:/var/lib/b' };
  assert.equal(settings(undefined, systemd).stateDir, '/var/lib/a');
  assert.equal(settings('state_dir = /srv', systemd).stateDir, '/srv');
  assert.equal(settings(undefined, { ...systemd, PROXTOP_STATE_DIR: '/srv' }).stateDir, '/srv');
});

test('an address to listen on means prometheus, beside what else is described', () => {
  const endpoint = {
    name: 'prometheus',
    type: 'prometheus',
    print: { verbose: false, devices: false },
    host: '127.0.0.1',
    port: 9788,
    timeout: 30,
    credentials: {},
  };
  const types = (...given: Parameters<typeof settings>): string[] =>
    settings(...given).outputs.map(({ name, type }) => `${name} ${type}`);
  assert.deepEqual(settings('[output.prometheus]\nlisten = 127.0.0.1:9788').outputs, [endpoint]);
  assert.deepEqual(settings('[output.prometheus]\ntype = prometheus').outputs, [endpoint]);
  assert.deepEqual(settings(undefined, { PROXTOP_LISTEN: '127.0.0.1:9788' }).outputs, [endpoint]);

  const secured =
    '[output.p]\nlisten = [::]:1\ndevices = yes\ntls_cert = /c\ntls_key = /k\nusername = u\npassword = p';
  assert.deepEqual(settings(secured).outputs, [
    {
      ...{ ...endpoint, name: 'p', host: '::', port: 1, print: { verbose: false, devices: true } },
      credentials: { username: 'u', password: 'p' },
      tls: { cert: '/c', key: '/k' },
    },
  ]);
  const beside = { PROXTOP_LISTEN: '[::1]:9' };
  assert.deepEqual(types('[output.a]\ntype = stdout', beside), ['a stdout', 'prometheus prometheus']);
  assert.deepEqual(types(undefined, { ...beside, PROXTOP_TARGET: 'a:1' }), [
    'tcp tcp',
    'prometheus prometheus',
  ]);
  refuses('[output.p]\nlisten = 9788', /listen: found "9788", expected/);
  refuses(
    '[output.p]\nlisten = a:1\nprinter = json',
    /printer: applies to stdout, file, tcp, udp and http, but/,
  );
  refuses('[output.p]\nlisten = a:1\npassword = x', /a password needs a username/);
  refuses('[output.p]\nlisten = a:1\ntls_cert = /c', /tls_cert: has no effect without tls_key/);
  refuses('[output.p]\ntype = tcp\ntarget = a:1\nlisten = a:1', /listen: applies to prometheus, but/);
});

test('contradictions within an output', () => {
  const tcp = '[output.a]\ntype = tcp\ntarget = a:1\n';
  refuses(`${tcp}spool_max = 20M`, 'p.conf:4, [output.a] spool_max: has no effect without spool');
  refuses(`${tcp}tls_ca = /x`, 'p.conf:4, [output.a] tls_ca: has no effect without tls');
  refuses(`${tcp}tls = true\ntls_key = /x`, 'p.conf:5, [output.a] tls_key: has no effect without tls_cert');
  refuses(`${tcp}tls = true\ntls_cert = /x`, 'p.conf:5, [output.a] tls_cert: has no effect without tls_key');
  refuses(`${tcp}token = a\ntoken_file = /b`, /token_file: token is set too; give one of them$/);
  const push = '[output.a]\ntype = http\ntarget = http://p:9090/api/v1/write\nprinter = remote-write\n';
  const pushed = (own: string): unknown[] => {
    const [found] = settings(own).outputs;
    return found?.type === 'http' ? [found.interval, found.strict] : [];
  };
  assert.deepEqual(pushed(push), [10, true]);
  assert.deepEqual(pushed(`frequency = 3\n${push}`), [12, true]);
  assert.deepEqual(pushed(`${push}interval = 30\norder = interleaved`), [30, undefined]);
  refuses(`${push}maxima = true\ninterval = 20`, /maxima: applies to printer json, influx and otlp/);
  refuses(`${push}body = array`, /body: applies to printer json, but this one is remote-write/);
  refuses(`${tcp}printer = remote-write`, /found "remote-write", expected .* for tcp/);
  refuses(`${tcp}order = strict\ncatchup = 0.5`, /catchup: has no effect without spool|with order = strict/);
  refuses(`${tcp}spool = true\ncatchup = 1`, /catchup: found "1", expected a share above 0 and below 1/);
  refuses(
    '[output.a]\ntype = file\ntarget = /f\nrotate_keep = 3',
    /rotate_keep: has no effect without rotate_size/,
  );
  refuses(
    `${tcp}interval = 1.5`,
    'p.conf:4, [output.a] interval: found "1.5", expected a multiple of the frequency, which is 1 seconds',
  );
  refuses(`frequency = 10\n${tcp}interval = 5`, /interval: found "5", expected a multiple of the frequency/);
  refuses(`${tcp}maxima = true`, /maxima: has no effect without interval/);
  refuses('[output.p]\nlisten = a:1\ninterval = 10', /interval: applies to stdout, file, tcp, udp and http/);
  refuses('[output...]\ntype = stdout', /found "\.\." as the name of an output/);
  refuses(
    '[output.a]\nprinter = json',
    'p.conf:1, [output.a]: type is missing, expected stdout, file, tcp, udp, http or prometheus',
  );
  refuses(
    '[output.a]\ntype = tcp',
    /^p\.conf:2, \[output\.a\] type: tcp needs a target \(target\): host:port, for example/,
  );
  refuses('[output.a]\ntype = file', 'p.conf:2, [output.a] type: file needs a target (target): a path');
  refuses(
    '[output.a]\ntype = udp\ntarget = a:1\ntimeout = 5',
    'p.conf:4, [output.a] timeout: applies to tcp, http and prometheus, but this output is udp',
  );
  refuses(
    '[output.a]\ntype = stdout\ntarget = a:1',
    'p.conf:3, [output.a] target: applies to file, tcp, udp and http, but this output is stdout',
  );
  refuses(
    '[output.a]\ntype = udp\ntarget = a:1\nlayout = cycle',
    /^p\.conf:4, \[output\.a\] layout: found "cycle", but udp/,
  );
});

test('a wrong value in the environment names the variable', () => {
  refuses('', 'PROXTOP_FREQUENCY: found "abc", expected a number of seconds from 0.1 to 86400', {
    PROXTOP_FREQUENCY: 'abc',
  });
  refuses('', 'PROXTOP_FREQUNCY: unknown variable; did you mean PROXTOP_FREQUENCY?', {
    PROXTOP_FREQUNCY: '1',
  });
  refuses('', /^PROXTOP_OUTPUT: tcp needs a target \(PROXTOP_TARGET\)/, { PROXTOP_OUTPUT: 'tcp' });
  // Kubernetes sets variables of this kind for a service called proxtop.
  assert.equal(
    settings('', { PROXTOP_SERVICE_HOST: '10.0.0.1', PROXTOP_PORT: 'tcp://10.0.0.1:80' }).frequency,
    1,
  );
});

test('a recording holds everything, beside the outputs there are, by the ending of its name', () => {
  const { record, outputs } = settings('record = /tmp/a.msgpack');
  assert.deepEqual(
    outputs.map(({ type }) => type),
    ['stdout'],
  );
  const expected = {
    name: 'record',
    type: 'file',
    path: '/tmp/a.msgpack',
    printer: 'msgpack',
    print: { ...print, verbose: true, devices: true },
    queue,
  };
  assert.deepEqual(record, expected);
  assert.deepEqual(settings('record = a.json').record, { ...expected, path: 'a.json', printer: 'json' });
  refuses(
    'record = a.json.gz',
    'p.conf:1, record: found "a.json.gz", expected a path that does not end in .gz, as it is not compressed while it is written',
  );
});

test("esxtop's printer prints all there is", () => {
  const [output] = settings('[output.a]\ntype = stdout\nprinter = esxtop').outputs;
  assert.deepEqual(output?.print, { ...print, verbose: true, devices: true });
  refuses(
    '[output.a]\ntype = udp\ntarget = h:1\nprinter = esxtop',
    /found "esxtop", expected json, influx or text/,
  );
});
