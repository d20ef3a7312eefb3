import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { ConnectionError } from '../../src/libvirt/error.ts';
import type { Hypervisor } from '../../src/libvirt/hypervisor.ts';
import { connectHypervisor } from '../../src/libvirt/hypervisor.ts';
import { sshArguments } from '../../src/libvirt/transport-ssh.ts';
import { certificateFiles } from '../../src/libvirt/transport-tls.ts';
import { parseUri } from '../../src/libvirt/uri.ts';
import { LabLibvirtd, missingForLibvirtd } from '../lab/libvirtd.ts';
import { until } from '../lab/processes.ts';

const SSHD = '/usr/sbin/sshd';
const missing = missingForLibvirtd();
const skip = missing.length > 0 && `libvirtd needs ${missing.join(', ')}`;

const troubleIs = (trouble: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ConnectionError, String(error));
  assert.match(error.message, words);
  assert.equal(error.trouble, trouble, error.message);
  return true;
};

function open(uri: string, certificates = '/nowhere'): Promise<Hypervisor> {
  const directories = {
    sockets: '/nowhere',
    sessionSockets: undefined,
    certificates,
    userCertificates: undefined,
  };
  return connectHypervisor(uri, directories, 5000, AbortSignal.timeout(10_000));
}

/** Checks that the URI leads to the daemon: it knows its domain. */
async function assertReaches(uri: string, certificates?: string): Promise<void> {
  const hypervisor = await open(uri, certificates);
  try {
    assert.deepEqual(
      (await hypervisor.listDomains()).map(({ name }) => name),
      ['one'],
    );
    assert.ok((await hypervisor.allDomainStats(0))[0]!.parameters.size > 40);
  } finally {
    hypervisor.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A certificate authority below `directory`, with a server and a client certificate in libvirt's layout. */
function makeCertificates(directory: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: 'ignore' });
  };
  for (const path of ['CA', 'libvirt/private']) mkdirSync(join(directory, path), { recursive: true });
  const [ca, caKey] = [join(directory, 'CA/cacert.pem'), join(directory, 'CA/cakey.pem')];
  openssl('req', '-x509', ...key, '-subj', '/CN=test CA', '-keyout', caKey, '-out', ca);
  for (const side of ['server', 'client']) {
    const files = [
      '-keyout',
      join(directory, `libvirt/private/${side}key.pem`),
      '-out',
      join(directory, `libvirt/${side}cert.pem`),
    ];
    const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE'];
    openssl('req', '-x509', ...key, '-subj', `/CN=${side}`, ...names, '-CA', ca, '-CAkey', caKey, ...files);
  }
}

describe('over the network to a real libvirtd', { skip, timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-transport-'));
  const good = join(directory, 'pki');
  const foreign = join(directory, 'foreign');
  let lab: LabLibvirtd;
  let tcp: number;
  let tls: number;

  before(async () => {
    [tcp, tls] = [await freePort(), await freePort()];
    makeCertificates(good);
    makeCertificates(foreign);
    const settings = [
      ...[
        'listen_tcp = 1',
        'listen_tls = 1',
        'listen_addr = "127.0.0.1"',
        `tcp_port = "${tcp}"`,
        `tls_port = "${tls}"`,
      ],
      ...['auth_tcp = "none"', 'auth_tls = "none"', `ca_file = "${good}/CA/cacert.pem"`],
      ...[
        `cert_file = "${good}/libvirt/servercert.pem"`,
        `key_file = "${good}/libvirt/private/serverkey.pem"`,
      ],
    ];
    lab = await LabLibvirtd.start(settings, true);
    await lab.startDomain({ name: 'one', paused: true });
  });
  after(() => {
    lab.close();
    rmSync(directory, { recursive: true });
  });

  test('tcp', async () => {
    await assertReaches(`qemu+tcp://127.0.0.1:${tcp}/system`);
    const closed = await freePort();
    await assert.rejects(
      open(`qemu+tcp://127.0.0.1:${closed}/system`),
      troubleIs('unreachable', /^127\.0\.0\.1 port \d+: nothing listens/),
    );
    await assert.rejects(
      open('qemu+tcp://no-such-host.invalid/system'),
      troubleIs('unreachable', /no-such-host\.invalid port 16509: /),
    );
    await assert.rejects(open(`qemu+tcp://127.0.0.1:${tls}/system`), ConnectionError);
  });

  test('tls with the right certificates', async () => {
    await assertReaches(`qemu+tls://127.0.0.1:${tls}/system`, good);
    const pkipath = join(directory, 'one-place');
    mkdirSync(pkipath);
    copyFileSync(join(good, 'CA/cacert.pem'), join(pkipath, 'cacert.pem'));
    copyFileSync(join(good, 'libvirt/clientcert.pem'), join(pkipath, 'clientcert.pem'));
    copyFileSync(join(good, 'libvirt/private/clientkey.pem'), join(pkipath, 'clientkey.pem'));
    await assertReaches(`qemu://127.0.0.1:${tls}/system?pkipath=${pkipath}`);
    rmSync(join(pkipath, 'clientcert.pem'));
    rmSync(join(pkipath, 'clientkey.pem'));
    const refused = /did not accept the client certificate .*\/one-place\/clientcert\.pem/;
    await assert.rejects(
      open(`qemu://127.0.0.1:${tls}/system?pkipath=${pkipath}`),
      troubleIs('denied', refused),
    );
  });

  test('tls with wrong certificates', async () => {
    const uri = `qemu+tls://127.0.0.1:${tls}/system`;
    await assert.rejects(
      open(uri, foreign),
      troubleIs('denied', /server's certificate is not valid by .*\/foreign\/CA\/cacert\.pem: /),
    );
    // The server is not checked, but checks us.
    await assert.rejects(
      open(`${uri}?no_verify=1`, foreign),
      troubleIs('denied', /did not accept the client certificate/),
    );
    await assert.rejects(
      open(uri),
      troubleIs('denied', /\/nowhere\/CA\/cacert\.pem: the certificate cannot be read \(ENOENT\)/),
    );
    const named = `qemu+tls://localhost:${tls}/system`;
    await assert.rejects(open(named, good), troubleIs('denied', /not valid .*ERR_TLS_CERT_ALTNAME_INVALID/));
    await assert.rejects(open(`${uri}?tls_priority=NORMAL`, good), troubleIs('unsupported', /tls_priority/));
    await assert.rejects(open(`qemu+tls://127.0.0.1:${tcp}/system`, good), ConnectionError);
  });

  describe('ssh', { skip: !existsSync(SSHD) && 'no sshd (Debian package openssh-server)' }, () => {
    let port: number;
    let madeRundir = false;
    const ssh = join(directory, 'ssh');
    const key = join(directory, 'client-key');

    before(async () => {
      port = await freePort();
      const hostKey = join(directory, 'host-key');
      for (const file of [hostKey, key])
        execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
      // Built into sshd; Debian's package makes it at boot.
      madeRundir = mkdirSync('/run/sshd', { recursive: true }) !== undefined;
      const pidFile = join(directory, 'sshd.pid');
      const config = join(directory, 'sshd_config');
      writeFileSync(
        config,
        `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${hostKey}\nPidFile ${pidFile}\nStrictModes no\nUsePAM yes\n` +
          `AuthorizedKeysFile ${key}.pub\nPasswordAuthentication no\nPermitRootLogin yes\n`,
      );
      // Inside, so that the remote command finds the private libvirtd where that of a system is.
      lab.spawnInside(SSHD, ['-D', '-f', config]);
      await until('sshd listens', () => existsSync(pidFile));
      const known = join(directory, 'known-hosts');
      writeFileSync(known, `[127.0.0.1]:${port} ${readFileSync(`${hostKey}.pub`, 'latin1')}`);
      // The real ssh, with a file of known hosts that is not the user's.
      writeFileSync(ssh, `#!/bin/sh\nexec ssh -F none -o UserKnownHostsFile=${known} "$@"\n`);
      chmodSync(ssh, 0o755);
    });

    after(() => {
      if (madeRundir) rmdirSync('/run/sshd');
    });

    const uri = (parameters: string): string =>
      `qemu+ssh://root@127.0.0.1:${port}/system?command=${ssh}&keyfile=${key}${parameters}`;

    test('by the helper of libvirt, or by netcat', async () => {
      await assertReaches(uri(''));
      await assertReaches(uri('&proxy=native'));
      await assertReaches(uri('&proxy=netcat'));
      await assertReaches(uri(`&socket=${join(lab.sockets, 'libvirt-sock')}`));
    });

    test('errors are those of ssh', async () => {
      await assert.rejects(
        open(uri('x')),
        troubleIs('unreachable', /^127\.0\.0\.1 over ssh: .*Permission denied/s),
      );
      await assert.rejects(
        open(uri('&netcat=no-such-nc')),
        troubleIs('unreachable', /over ssh: .*no-such-nc/s),
      );
      await assert.rejects(
        open(uri('&proxy=other')),
        troubleIs('uri', /proxy=other, expected auto, native or netcat/),
      );
      await assert.rejects(
        open(`qemu+ssh://127.0.0.1:${port}/system?command=/no/ssh`),
        troubleIs('unreachable', /cannot start ssh: .*ENOENT/),
      );
      const closed = await freePort();
      await assert.rejects(
        open(uri('').replace(String(port), String(closed))),
        troubleIs('unreachable', /Connection refused/),
      );
    });

    test('the end of the remote daemon is noticed at once', async () => {
      const hypervisor = await open(uri(''));
      const lost = once(hypervisor, 'lost');
      await lab.stop();
      const [reason] = (await lost) as [unknown];
      assert.ok(reason instanceof ConnectionError);
      assert.match(reason.message, /^127\.0\.0\.1 over ssh: /);
    });
  });
});

test('ssh: words from the URI stay words, on both machines', () => {
  const args = sshArguments(
    parseUri("qemu+ssh://-oProxyCommand=x/system?netcat=a'b;%20reboot&socket=/s%20o"),
  );
  assert.deepEqual(args.slice(0, -1), ['-T', '-e', 'none', '-o', 'BatchMode=yes', '--', '-oProxyCommand=x']);
  // What a shell makes of the command: each argument on a line.
  const shown = execFileSync('sh', ['-c', `sh() { printf '%s\\n' "$@"; }; ${args.at(-1)!}`], {
    encoding: 'utf8',
  });
  assert.match(shown, /^-c\n/);
  const script = shown.slice(3).replace(/^if .*?fi; exec /, `printf '%s\\n' `);
  assert.deepEqual(execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trim().split('\n'), [
    "a'b; reboot",
    '-U',
    '/s o',
  ]);
});

test('tls: files of the user come before those of the system, certificate and key as a pair', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-pki-'));
  t.after(() => {
    rmSync(directory, { recursive: true });
  });
  const places = { certificates: '/etc/pki', userCertificates: directory };
  const system = {
    ca: '/etc/pki/CA/cacert.pem',
    crl: '/etc/pki/CA/cacrl.pem',
    cert: '/etc/pki/libvirt/clientcert.pem',
    key: '/etc/pki/libvirt/private/clientkey.pem',
  };
  assert.deepEqual(certificateFiles(undefined, places), system);
  for (const name of ['cacert.pem', 'clientcert.pem']) writeFileSync(join(directory, name), '');
  const own = (name: string): string => join(directory, name);
  assert.deepEqual(certificateFiles(undefined, places), { ...system, ca: own('cacert.pem') });
  writeFileSync(own('clientkey.pem'), '');
  const pair = { cert: own('clientcert.pem'), key: own('clientkey.pem') };
  assert.deepEqual(certificateFiles(undefined, places), { ...system, ca: own('cacert.pem'), ...pair });
});
