import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FAST, LibvirtHost, named, skip } from './libvirt-host.ts';
import { PROXTOP, Stream, num, proxtop } from './program.ts';

const directory = mkdtempSync(join(tmpdir(), 'proxtop-connectors-'));
const path = (name: string): string => join(directory, name);
for (const name of ['pve', 'empty', 'proc']) mkdirSync(path(name));
const noPve = ['--pvedir', path('no-pve')];
const noLibvirt = ['--rundir', path('empty')];
after(() => {
  rmSync(directory, { recursive: true });
});

describe('which hypervisor is found', { skip, timeout: 300_000 }, () => {
  let host: LibvirtHost;
  before(async () => {
    host = await LibvirtHost.start();
    await host.lab.startDomain({ name: 'one', paused: true });
  });
  after(() => {
    host.close();
  });

  test('Proxmox VE before libvirt, libvirt before QEMU', async (t) => {
    const start = (...args: string[]): Stream => {
      const stream = Stream.start([...args, '--cpu', '--verbose', ...FAST]);
      t.after(() => stream.stop());
      return stream;
    };
    const proxmox = start('--rundir', host.rundir, '--pvedir', path('pve'));
    assert.deepEqual((await proxmox.next()).domains, []);
    const libvirt = start('--rundir', host.rundir, ...noPve);
    const domain = named(await libvirt.next(), 'one');
    assert.equal(domain?.['state'], 'paused', 'only libvirt tells the state: its monitor is not for us');
    const qemu = start(...noLibvirt, ...noPve);
    const process = named(await qemu.next(), 'one');
    assert.equal(process?.['pid'], domain['pid']);
    assert.equal(process?.['UUID'], domain['UUID']);
    assert.equal(process?.['state'], undefined);
  });

  test('nothing: a service waits and measures the host, at a terminal it is an error', async () => {
    const nothing = [...noLibvirt, ...noPve, '--procfs', path('proc')];
    const looked =
      /no hypervisor found: looked for Proxmox VE \(.*\), libvirt \(qemu:\/\/\/system\), QEMU processes \(in .*\/proc\)/;
    const { code, stderr, stdout } = await proxtop([...nothing, '--runs=2', '--printer=json', ...FAST]);
    assert.equal(code, 0);
    assert.match(stderr, looked);
    assert.equal(stdout.trimEnd().split('\n').length, 2);
    const command = [PROXTOP, ...nothing].map((word) => `'${word}'`).join(' ');
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    terminal.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    const [status] = (await once(terminal, 'close')) as [number];
    assert.equal(status, 1);
    assert.match(text.replaceAll('\r\n', ''), looked);
  });
});

test('URIs that are wrong, or of what is not supported', async () => {
  for (const [uri, words] of [
    ['qemu', /expected driver\[\+transport\]:\/\//],
    ['qemu:///systm', /expected the path \/system or \/session/],
    ['qemu+ssh://host:0/system', /expected a port of 1 to 65535/],
    ['qemu+unix://host/system', /the transport unix has no host/],
    ['qemu+carrier://host/system', /expected one of the transports unix, ssh, tcp, tls/],
    ['qemu+libssh2://host/system', /the transport libssh2 is not supported/],
    ['xen:///system', /the driver xen is not supported, only qemu is/],
    ['lxc:///', /the driver lxc is not supported, only qemu is/],
    ['vbox:///session', /the driver vbox is not supported/],
  ] as const) {
    const { code, stdout, stderr } = await proxtop([`--connection=${uri}`]);
    assert.match(stderr, words);
    assert.match(stderr, /^proxtop: --connection: libvirt URI "/);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
    assert.deepEqual([code, stdout], [2, ''], uri);
  }
});

test('a connection contradicts another hypervisor', async () => {
  for (const flag of ['--proxmox', '--qemu']) {
    const { code, stderr } = await proxtop([flag, '-c', 'qemu:///system']);
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`--connection: found "qemu:///system", but ${flag} says`));
  }
});

test('--check says where the VMs are looked for', async () => {
  const { code, stdout } = await proxtop([
    '-c',
    'qemu+ssh://root@kvm2/system',
    '--procfs=/mnt/kvm2',
    '--check',
  ]);
  assert.equal(code, 0);
  assert.match(stdout, /connector +libvirt, libvirt at qemu\+ssh:\/\/root@kvm2\/system\n/);
  assert.match(stdout, /procfs +\/mnt\/kvm2\n +sysfs +not read, the VMs run elsewhere\n/);
});

describe('a libvirt that cannot be had is told, and the host is measured', { timeout: 300_000 }, () => {
  const servers: Server[] = [];
  after(() => {
    for (const server of servers) server.close();
  });

  async function listening(server: Server, where: string | number): Promise<Server> {
    servers.push(server.listen(where));
    await once(server, 'listening');
    return server;
  }
  const portOf = (server: Server): number => (server.address() as AddressInfo).port;

  /** Runs it for two samples. @returns what it complained about */
  async function complaint(uri: string, local = false): Promise<string> {
    const { code, stdout, stderr } = await proxtop([
      '-c',
      uri,
      '--cpu',
      '--runs=2',
      '--printer=json',
      ...FAST,
    ]);
    assert.equal(code, 0, stderr);
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 2);
    const { host, domains } = JSON.parse(lines[1]!) as Awaited<ReturnType<Stream['next']>>;
    assert.deepEqual(domains, []);
    if (local) assert.ok(num(host, 'cpu_idle') >= 0);
    assert.ok(stderr.includes(`warning ${uri}: no connection to libvirt, its metrics are omitted: `), stderr);
    return stderr;
  }

  test('nothing listens there', async () => {
    const server = await listening(createServer(), 0);
    const port = portOf(server);
    server.close();
    await once(server, 'close');
    assert.match(await complaint(`qemu+tcp://localhost:${port}/system`), /localhost port \d+: /);
    assert.match(
      await complaint('qemu+tcp://no-such-host.invalid/system'),
      /no-such-host\.invalid port 16509: /,
    );
  });

  test('a socket that is not libvirt', async () => {
    const mail = createServer((client) => {
      client.on('error', () => undefined);
      client.write('220 mail.example ESMTP ready\r\n');
    });
    await listening(mail, path('mail.sock'));
    const uri = `qemu+unix:///system?socket=${path('mail.sock')}`;
    assert.match(await complaint(uri, true), /mail\.sock: this is not libvirt, or it breaks the protocol/);
    writeFileSync(path('file'), '');
    assert.match(
      await complaint(`qemu+unix:///system?socket=${path('file')}`, true),
      /file: nothing listens there/,
    );
    symlinkSync('/nowhere', path('dangling'));
    assert.match(
      await complaint(`qemu+unix:///system?socket=${path('dangling')}`, true),
      /there is no such socket/,
    );
  });

  test('a certificate that is wrong, or missing', async () => {
    const pki = path('pki');
    mkdirSync(pki);
    const file = (name: string): string => join(pki, name);
    const make = (name: string): void => {
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
      const files = ['-keyout', file(`${name}key.pem`), '-out', file(`${name}cert.pem`)];
      execFileSync('openssl', ['req', '-x509', ...key, '-subj', '/CN=localhost', ...files], {
        stdio: 'ignore',
      });
    };
    make('server');
    make('ca');
    const read = (name: string): Buffer => readFileSync(file(name));
    const server = createTlsServer({ cert: read('servercert.pem'), key: read('serverkey.pem') });
    server.on('tlsClientError', () => undefined);
    await listening(server, 0);
    assert.match(
      await complaint(`qemu+tls://localhost:${portOf(server)}/system?pkipath=${pki}`),
      /the server's certificate is not valid by .*\/pki\/cacert\.pem: /,
    );
    assert.match(
      await complaint(`qemu+tls://localhost/system?pkipath=${path('empty')}`),
      /\/empty\/cacert\.pem: the certificate cannot be read \(ENOENT\)/,
    );
  });
});
