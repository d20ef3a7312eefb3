import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { Lab, missingForLab } from '../lab/lab.ts';
import type { LabVm } from '../lab/vm.ts';
import type { Cycle, End, Row } from './program.ts';
import { EVERYTHING, PROXTOP, Program, Stream, domain, num, proxtop, timeOf } from './program.ts';

const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const noIpv6 =
  !Object.values(networkInterfaces())
    .flat()
    .some((address) => address?.address === '::1') && 'needs IPv6';

const directory = mkdtempSync(join(tmpdir(), 'proxtop-e2e-'));
/** A Proxmox VE node without VMs, as far as directories tell. */
const empty = ['--rundir', join(directory, 'run'), '--pvedir', join(directory, 'pve')];
/** No Proxmox VE; QEMU processes there may be. */
const nothing = ['--proxmox', '--rundir', join(directory, 'no-run'), '--pvedir', join(directory, 'no-pve')];
mkdirSync(join(directory, 'run/qemu-server'), { recursive: true });
mkdirSync(join(directory, 'pve/local/qemu-server'), { recursive: true });

after(() => {
  rmSync(directory, { recursive: true });
});

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

/** A refusal: one or two lines on stderr that say what is meant to be said, and nothing else. */
function assertRefused(end: End, code: number, what: RegExp): void {
  assert.equal(end.stdout, '');
  assert.match(end.stderr, what);
  const lines = end.stderr.trimEnd().split('\n');
  assert.ok(lines.length <= 2, end.stderr);
  assert.doesNotMatch(end.stderr, /^\s+at /m, 'no stack');
  assert.equal(end.code, code, end.stderr);
}

describe('bad input ends with code 2 and says what was expected', { concurrency: 2 }, () => {
  const refusals: readonly (readonly [args: readonly string[], what: RegExp])[] = [
    [['--frequency', '0'], /--frequency: found "0", expected .*0\.1/],
    [['--frequency', '-1'], /--frequency: found "-1", expected .*0\.1/],
    [['--frequency', 'abc'], /--frequency: found "abc", expected .*0\.1/],
    [['--frequency', '0.01'], /--frequency: found "0\.01", expected .*0\.1/],
    [['--runs', '-2'], /--runs: found "-2", expected/],
    [['--runs', 'x'], /--runs: found "x", expected/],
    [['--printer', 'jsn'], /--printer: found "jsn".*did you mean "json"/],
    [['--output', 'tpc'], /--output: found "tpc".*did you mean "tcp"/],
    [['--verbos'], /--verbos: unknown flag; did you mean --verbose/],
    [['--memory'], /--memory: unknown flag/],
    [['--output=tcp'], /--output: tcp needs a target/],
    [['--output=tcp', '--target=localhost'], /--target: found "localhost", expected a port/],
    [['--output=tcp', '--target=localhost:0'], /--target: .*port from 1 to 65535/],
    [['--output=tcp', '--target=localhost:99999'], /--target: .*port from 1 to 65535/],
    [['--output=udp', '--target=localhost:1', '--layout=cycle'], /--layout: found "cycle".*udp/],
    [['--proxmox', '--libvirt'], /--proxmox and --libvirt exclude each other/],
    [['--hosts', ''], /--hosts: needs a value/],
    [['--hosts', 'pve1,,pve2'], /--hosts: found an empty entry/],
    [['--hosts', 'pve1,pve2,PVE1'], /--hosts: found PVE1 twice, expected each node once/],
    [['--hosts', 'pve1:0'], /--hosts: found "pve1:0", expected .*\[USER@\]HOST\[:PORT\]/],
    [['--hosts=-oProxyCommand=x'], /--hosts: found "-oProxyCommand=x", expected/],
    [['--hosts', 'pve1', '--cluster'], /--cluster: excluded by --hosts; give one of them/],
    [['--hosts', 'pve1', '--frequency', '5'], /--hosts: nodes send one sample a second/],
    [['--cluster', '--history'], /--cluster: a history covers one host/],
    [['--cluster', '--replay', 'x'], /--cluster: excluded by --replay/],
    [['extra'], /"extra": unexpected argument/],
    [['--config', join(directory, 'none.conf')], /none\.conf: .*no such file/],
    [
      ['--config', file('key.conf', 'frequenzy = 1\n')],
      /key\.conf:1, frequenzy: unknown key; did you mean frequency/,
    ],
    [['--config', file('section.conf', '\n[outputs.x]\n')], /section\.conf:2: unknown section/],
    [
      ['--config', file('type.conf', 'verbose = maybe\n')],
      /type\.conf:1, verbose: found "maybe", expected true or false/,
    ],
    [['--config', file('collector.conf', 'collectors = cpu, dsk\n')], /found "dsk".*did you mean "disk"/],
    [['--config', file('original-bad.conf', 'PROXTOP_TARGET=localhost\n')], /expected a port/],
  ];
  for (const [args, what] of refusals) {
    test(args.join(' ').replaceAll(`${directory}/`, ''), async () => {
      assertRefused(await proxtop([...args, ...empty]), 2, what);
    });
  }

  test('PROXTOP_FREQUENCY=abc', async () => {
    assertRefused(await proxtop(empty, { PROXTOP_FREQUENCY: 'abc' }), 2, /PROXTOP_FREQUENCY: found "abc"/);
  });

  test('a file that cannot be written is a failure, not a usage error, whatever other outputs there are', async () => {
    const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const config = file(
      'outputs.conf',
      `[output.a]\ntype = tcp\ntarget = 127.0.0.1:${port}\n[output.b]\ntype = file\ntarget = ${directory}/none/x\n`,
    );
    const end = await proxtop([...empty, '--config', config]);
    server.close();
    assertRefused(end, 1, /cannot open .*none\/x for writing: .*no such file/);
  });
});

describe('a run', { concurrency: 3 }, () => {
  test(
    'no hypervisor as a service: the host is measured, and 30 s later it is looked again',
    { skip },
    async () => {
      const lab = Lab.create();
      try {
        const vm = await lab.run({});
        const runtime = join(lab.roots.rundir, 'qemu-server');
        renameSync(runtime, `${runtime}.aside`);
        renameSync(lab.roots.pvedir, `${lab.roots.pvedir}.aside`);
        const stream = Stream.start(['--proxmox', ...lab.flags(), '--host', '--cpu']);
        const first = await stream.next();
        assert.deepEqual(first.domains, []);
        assert.ok(num(first.host, 'cpu_user') >= 0);
        renameSync(`${runtime}.aside`, runtime);
        renameSync(`${lab.roots.pvedir}.aside`, lab.roots.pvedir);
        const there = await stream.next('the VM', ({ domains }) => domains.length > 0, 45_000);
        assert.ok(domain(there, vm) !== undefined);
        const waited = (timeOf(there) - timeOf(first)) / 1000;
        assert.ok(waited > 27 && waited < 35, `${waited} s`);
        const { code, stderr } = await stream.stop();
        assert.equal(code, 0);
        const lines = stderr.trimEnd().split('\n');
        assert.equal(lines.length, 2, stderr);
        assert.match(lines[0]!, /warning no hypervisor found: looked for .*pve.*qemu-server/);
        assert.match(lines[1]!, /info .*found a hypervisor/);
      } finally {
        await lab.close();
      }
    },
  );

  test('--runs 3 gives three lines, the first with rates, and ends with code 0', async () => {
    const { code, stdout, stderr } = await proxtop([
      ...empty,
      '-p',
      'json',
      '-r',
      '3',
      '-f',
      '0.2',
      '--cpu',
      '--net',
    ]);
    assert.deepEqual([code, stderr], [0, '']);
    const cycles = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Cycle);
    assert.deepEqual(
      cycles.map(({ seq }) => seq),
      [1, 2, 3],
    );
    assert.ok(num(cycles[0]!.host, 'cpu_user') >= 0);
  });

  test('SIGTERM ends it with code 0 and delivers what was sampled; SIGINT as well', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const stream = Stream.start([...empty, '-f', '0.1']);
      await stream.first('five cycles', ({ seq }) => seq === 5);
      stream.child.kill(signal);
      const { code, stdout, stderr } = await stream.end();
      assert.deepEqual([code, stderr], [0, '']);
      const lines = stdout.split('\n');
      assert.equal(lines.pop(), '', 'the last line is whole');
      assert.deepEqual(
        lines.map((line) => (JSON.parse(line) as Cycle).seq),
        lines.map((_, index) => index + 1),
      );
    }
  });

  test('a reader that goes away ends it quietly', async () => {
    const child = spawn(PROXTOP, ['-p', 'json', '-f', '0.1', ...empty], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const complaints = text(child.stderr);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = (await once(child, 'close')) as [number];
    assert.deepEqual([code, await complaints], [0, '']);
  });

  test('standard output that takes nothing is a failure, and what is lost is told', async () => {
    const args = ['-p', 'json', '-f', '0.1', '-r', '3', ...empty];
    const child = spawn(PROXTOP, args, { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] });
    const complaints = text(child.stderr!);
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 1);
    assert.match(await complaints, /ENOSPC[^]*stdout: 3 records were dropped since the start: 3 stopped/);
  });

  test('an answer that cannot be written is one line, whoever answers', async () => {
    for (const args of [
      ['--help'],
      ['--list-metrics'],
      ['worst', '--help'],
      ['spool'],
      [...empty, '--check'],
    ]) {
      const child = spawn(PROXTOP, args, { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] });
      const complaints = text(child.stderr!);
      const [code] = (await once(child, 'close')) as [number];
      assert.equal(code, 1);
      assert.match(await complaints, /^proxtop: standard output cannot be written: ENOSPC[^\n]*\n$/);
    }
  });

  test('a reader of a listing that goes away is no fault', async () => {
    const child = spawn('sh', ['-c', `'${PROXTOP}' --list-metrics; echo $? >&2`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    assert.equal(await text(child.stderr), '0\n');
  });

  test('a file is created 0640, reopened on SIGHUP, and holds whole lines', async () => {
    const path = join(directory, 'samples.json');
    const child = spawn(PROXTOP, ['-o', 'file', '--target', path, '-f', '0.1', ...empty], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const program = new Program(child);
    const cycles = (name: string): Cycle[] =>
      readFileSync(name, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Cycle);
    await grown(path);
    assert.equal(statSync(path).mode & 0o777, 0o640);
    renameSync(path, `${path}.1`);
    child.kill('SIGHUP');
    await grown(path);
    const { code, stdout, stderr } = await program.stop();
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
    assert.equal(statSync(path).mode & 0o777, 0o640);
    const seqs = [...cycles(`${path}.1`), ...cycles(path)].map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      seqs.map((_, index) => index + 1),
    );
  });

  test('no hypervisor on a terminal: an error that names what was looked for', async () => {
    const command = [PROXTOP, ...nothing].join(' ');
    const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const output = text(child.stdout);
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 1);
    assert.match(await output, /no hypervisor found: looked for .*no-pve.*no-run\/qemu-server/);
  });

  test('records that were lost make a run that ends by itself a failure', async () => {
    const full = join(directory, 'full.conf');
    writeFileSync(full, '[output.a]\ntype = file\ntarget = /dev/full\nprinter = json\n');
    const { code, stderr } = await proxtop([...empty, '--config', full, '-r', '3', '-f', '0.2']);
    assert.match(stderr, /3 records were dropped since the start: 3 stopped/);
    assert.equal(code, 1);
    const recording = join(directory, 'recording.json');
    assert.equal(
      (await proxtop([...empty, '-p', 'json', '-r', '3', '-f', '0.2', '--record', recording])).code,
      0,
    );
    const shell = (command: string): Promise<End> =>
      new Program(
        spawn('sh', ['-c', command, PROXTOP, ...empty], { stdio: ['ignore', 'pipe', 'pipe'] }),
      ).end();
    assert.equal((await shell('exec "$0" "$@" -r 2 -f 0.2 > /dev/full')).code, 1);
    assert.equal((await shell('exec "$0" "$@" -r 2 -f 0.2 > /dev/null')).code, 0);
    // Who has read enough, or says stop, has lost nothing.
    assert.match((await shell('{ "$0" "$@" -f 0.2; echo "rc $?" >&2; } | head -n 1')).stderr, /rc 0/);
    const endless = Stream.spawn([...empty, '--config', full, '-f', '0.2']);
    await endless.until('trouble', () => endless.stderr.includes('ENOSPC'));
    assert.equal((await endless.stop()).code, 0);
  });

  test('datagrams hold one event each', async () => {
    const datagrams = await received('udp4', '127.0.0.1', [...empty, '--host', '--cpu', '--mem']);
    const events = datagrams.map((datagram) => JSON.parse(datagram) as Row);
    assert.ok(datagrams.every((datagram) => datagram.indexOf('\n') === datagram.length - 1));
    assert.deepEqual(
      new Set(events.map((event) => event['type'])),
      new Set(['host', 'agent', 'agent_output']),
    );
    assert.equal(new Set(events.map((event) => event['event_id'])).size, events.length);
    assert.deepEqual(new Set(events.map((event) => event['seq'])), new Set([1, 2, 3]));
  });

  test('IPv6 targets', { skip: noIpv6 }, async () => {
    assert.ok((await received('udp6', '::1', empty)).length >= 3);
    const lines: string[] = [];
    const server = createServer((socket) => {
      void text(socket).then((all) => lines.push(...all.trimEnd().split('\n')));
    }).listen(0, '::1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { code } = await proxtop([
      ...empty,
      '-o',
      'tcp',
      '--target',
      `[::1]:${port}`,
      '-r',
      '3',
      '-f',
      '0.2',
    ]);
    server.close();
    assert.equal(code, 0);
    assert.equal(lines.length, 3);
  });

  test('--check says what would run; the line of the original is a tcp output', async () => {
    const config = file('original.conf', 'PROXTOP_TARGET=logstash.example:12345\n');
    const { code, stdout, stderr } = await proxtop(['--config', config, '--check', '-f', '2.5']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /every 2\.5 seconds/);
    assert.match(stdout, /tcp to logstash\.example:12345.*json/);
  });

  test('--list-metrics=json has the columns of the contract', async () => {
    const { code, stdout } = await proxtop(['--list-metrics=json']);
    assert.equal(code, 0);
    const metrics = JSON.parse(stdout) as Record<string, string>[];
    assert.ok(metrics.length > 200);
    const columns = [
      'scope',
      'collector',
      'id',
      'title',
      'unit',
      'kind',
      'shown',
      'source',
      'definition',
      'original',
    ];
    for (const { meaning, ...metric } of metrics) {
      const more = ['needs', 'container', 'peak'];
      assert.deepEqual(
        Object.keys(metric).filter((name) => !more.includes(name)),
        columns,
      );
      assert.equal(typeof meaning, 'string');
    }
    const table = await proxtop(['--list-metrics']);
    assert.equal(table.stdout.trimEnd().split('\n').length, metrics.length + 1);
  });
});

describe('with VMs', { skip, concurrency: 2 }, () => {
  let lab: Lab;
  let vms: readonly LabVm[];

  before(async () => {
    lab = Lab.create();
    chmodSync(lab.root, 0o755); // for the test that is not root
    const disks = [{ interface: 'virtio', size: 2 ** 24, shape: 'drive' }] as const;
    vms = await Promise.all([
      lab.run({ guest: 'idle', disks, nics: [{ model: 'rtl8139' }] }),
      lab.run({ name: 'a"b\n\x1b[31m,=é' }),
      lab.run({ name: '007' }),
    ]);
    // The command line keeps the name as it is; a configuration has no line breaks.
    lab.pve.remove(vms[1]!.vmid);
  });
  after(async () => {
    await lab.close();
  });

  test('the first line has rates of everything, the disks too', async () => {
    const { stdout } = await proxtop([...lab.flags(), '-p', 'json', '-r', '1', ...EVERYTHING]);
    const row = domain(JSON.parse(stdout) as Cycle, vms[0]!);
    for (const id of ['cpu_total', 'ram_minflt', 'disk_reads', 'net_rx_bytes', 'io_rchar'])
      assert.ok(num(row, id) >= 0);
  });

  test('names that tenants made up: JSON holds them as they are, text without control characters', async () => {
    const json = await proxtop([...lab.flags(), '-p', 'json', '-r', '2', '-f', '0.2']);
    const lines = json.stdout.trimEnd().split('\n');
    assert.equal(lines.length, 2);
    const cycle = JSON.parse(lines[1]!) as Cycle;
    assert.equal(domain(cycle, vms[1]!)?.['name'], 'a"b\n\x1b[31m,=é');
    assert.equal(domain(cycle, vms[2]!)?.['name'], '007');
    assert.match(lines[1]!, /"name":"007"/);
    assert.doesNotMatch(json.stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);

    const table = await proxtop([...lab.flags(), '-p', 'text', '-r', '2', '-f', '0.2']);
    assert.doesNotMatch(table.stdout, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    const rows = table.stdout
      .trimEnd()
      .split('\n')
      .filter((line) => line.startsWith('vm\t'));
    assert.equal(rows.length, 1 + 2 * vms.length, 'a header, and a line for each VM and sample');
    assert.ok(rows.some((line) => /\ta"b\?+\[31m,=é\t/.test(line)));
    assert.equal(new Set(rows.map((line) => line.split('\t').length)).size, 1);
  });

  test('samples fall on whole multiples of the frequency, even beside a VM that hangs', async () => {
    const stream = Stream.start([...lab.flags(), ...EVERYTHING, '-f', '0.5', '--detail-interval=0.5']);
    const first = await stream.next();
    await lab.suspendProcess(vms[2]!);
    const last = await stream.next('five seconds', (cycle) => timeOf(cycle) - timeOf(first) >= 5000);
    await lab.resumeProcess(vms[2]!);
    await stream.stop();
    const cycles = stream.between(first, last);
    assert.ok(cycles.some((cycle) => domain(cycle, vms[2]!)?.['qmp'] === 'timeout'));
    const lateness = cycles.map((cycle) => timeOf(cycle) % 500);
    const inTime = lateness.filter((ms) => ms <= 50);
    assert.ok(
      inTime.length >= 0.8 * cycles.length && Math.max(...lateness) < 200,
      `ms late: ${String(lateness)}`,
    );
    assert.equal(cycles.length, last.seq - first.seq);
    assert.equal(last.seq - first.seq, Math.round((timeOf(last) - timeOf(first)) / 500));
  });

  test('without root: what cannot be read is omitted, with one warning for each kind of file', async () => {
    const run = (): Promise<End> => {
      const command = [PROXTOP, ...lab.flags(), ...EVERYTHING, '-p', 'json', '-r', '3', '-f', '0.3'];
      const child = spawn('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', ...command]);
      return new Program(child).end();
    };
    const warnings = ({ stderr }: End): string[] => stderr.trimEnd().split('\n');

    // QEMU lets only root read its pid files, so no VM can be known.
    const blind = await run();
    assert.equal(blind.code, 0);
    const cycle = lastCycle(blind);
    assert.deepEqual(cycle.domains, []);
    assert.ok(num(cycle.host, 'cpu_user') >= 0);
    assert.equal(warnings(blind).length, 1, blind.stderr);
    assert.match(blind.stderr, /warning .*qemu-server\/<vmid>\.pid: permission denied.*run as root/);

    // On Proxmox VE the whole directory is closed.
    chmodSync(join(lab.roots.rundir, 'qemu-server'), 0o750);
    const outside = await run();
    chmodSync(join(lab.roots.rundir, 'qemu-server'), 0o755);
    assert.deepEqual([outside.code, lastCycle(outside).domains], [0, []]);
    assert.equal(warnings(outside).length, 1, outside.stderr);
    assert.match(outside.stderr, /warning .*qemu-server: permission denied.*run as root/);

    // With the pid files alone, what is free in /proc is told.
    for (const vm of vms) chmodSync(vm.pidFile, 0o644);
    const seeing = await run();
    assert.equal(seeing.code, 0);
    const row = domain(lastCycle(seeing), vms[0]!);
    for (const id of ['cpu_total', 'ram_rss', 'net_rx_bytes']) assert.ok(num(row, id) >= 0);
    for (const id of ['io_rchar', 'disk_reads', 'state']) assert.equal(row?.[id], undefined);
    assert.equal(row?.['qmp'], 'error');
    const io = warnings(seeing).filter((line) => line.includes('/proc/<pid>/io: permission denied'));
    assert.equal(io.length, 1, seeing.stderr);
    assert.doesNotMatch(seeing.stderr, /^\s+at /m);
  });
});

function lastCycle({ stdout }: End): Cycle {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Cycle;
}

/** Resolves when a file has a few lines. */
async function grown(path: string): Promise<void> {
  for (let lines = 0; lines < 4;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    try {
      lines = readFileSync(path, 'utf8').split('\n').length;
    } catch {
      lines = 0;
    }
  }
}

/** The datagrams that three samples make. */
async function received(type: 'udp4' | 'udp6', address: string, args: readonly string[]): Promise<string[]> {
  const socket = createSocket(type);
  const datagrams: string[] = [];
  socket.on('message', (message) => datagrams.push(message.toString()));
  socket.bind(0, address);
  await once(socket, 'listening');
  const host = type === 'udp6' ? `[${address}]` : address;
  const target = `${host}:${socket.address().port}`;
  const { code } = await proxtop([...args, '-o', 'udp', '--target', target, '-r', '3', '-f', '0.2']);
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.close();
  assert.equal(code, 0);
  return datagrams;
}
