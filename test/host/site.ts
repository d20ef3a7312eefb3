import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Authority } from '../delivery/authority.ts';
import type { Machine } from './machine.ts';

const REPOSITORY = fileURLToPath(new URL('../../debian/apt-repository', import.meta.url));
const NAME = 'proxtop.example';
const SIGNER = `releases@${NAME}`;

/** Serves files over https in the machine. */
const server = `
const { readFile } = require('node:fs');
const { normalize } = require('node:path');
const file = (name) => require('node:fs').readFileSync('/srv/' + name);
require('node:https')
  .createServer({ cert: file('site.pem'), key: file('site.key') }, ({ url }, response) => {
    readFile('/srv/site' + normalize(url), (error, content) => {
      response.writeHead(error === null ? 200 : 404).end(content);
    });
  })
  .listen(443);
`;

/**
 * What the project publishes, https://proxtop.example, as release/build makes it: the tree for apt and the packages with
 * their checksums, signed with a key that is thrown away. The machine serves it to itself.
 */
export class Site {
  private readonly directory = mkdtempSync(join(tmpdir(), 'proxtop-site-'));
  private readonly gnupg = { ...process.env, GNUPGHOME: join(this.directory, 'gnupg') };

  constructor() {
    mkdirSync(this.gnupg.GNUPGHOME, { mode: 0o700 });
    const key = ['--quick-generate-key', SIGNER, 'ed25519', 'sign', '1d'];
    execFileSync('gpg', ['--batch', '--passphrase', '', ...key], { env: this.gnupg, stdio: 'pipe' });
    mkdirSync(join(this.directory, 'site/release'), { recursive: true });
  }

  /** Makes the machine know it, and serve it. */
  async install(machine: Machine): Promise<void> {
    const authority = new Authority(this.directory);
    const { cert, key } = authority.sign('site', `DNS:${NAME}`);
    await machine.copy(cert, '/srv/site.pem');
    await machine.copy(key, '/srv/site.key');
    await machine.write('/srv/server.cjs', server);
    await machine.copy(authority.ca, '/srv/ca.pem');
    await machine.run(`
      cat /srv/ca.pem >>/etc/ssl/certs/ca-certificates.crt
      echo '127.0.0.1 ${NAME}' >>/etc/hosts
      systemd-run --quiet --unit=site node /srv/server.cjs
    `);
  }

  /** Adds a package, as a release does. */
  async publish(machine: Machine, file: string): Promise<void> {
    const site = join(this.directory, 'site');
    execFileSync(REPOSITORY, [join(site, 'apt'), SIGNER, file], { env: this.gnupg, stdio: 'pipe' });
    copyFileSync(file, join(site, 'release', basename(file)));
    const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
    writeFileSync(join(site, 'release/SHA256SUMS'), `${sum}  ${basename(file)}\n`);
    const files = execFileSync('tar', ['-c', '-C', this.directory, 'site'], { maxBuffer: 2 ** 26 });
    await machine.run('tar -x --no-same-owner -C /srv', files);
  }

  close(): void {
    execFileSync('gpgconf', ['--kill', 'all'], { env: this.gnupg });
    rmSync(this.directory, { recursive: true });
  }
}
