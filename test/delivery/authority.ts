import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An authority made with openssl, and certificates that it signed: NAME.pem with NAME.key. */
export class Authority {
  readonly ca: string;

  constructor(readonly path: string) {
    this.ca = join(path, 'ca.pem');
    const subject = [
      '-subj',
      '/CN=Test authority',
      '-days',
      '1',
      '-keyout',
      join(path, 'ca.key'),
      '-out',
      this.ca,
    ];
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...subject);
  }

  sign(name: string, altName: string, days = 1): { cert: string; key: string } {
    const file = (ending: string): string => join(this.path, `${name}.${ending}`);
    const request = ['-nodes', '-subj', `/CN=${name}`, '-keyout', file('key'), '-out', file('csr')];
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', ...request);
    writeFileSync(file('ext'), `subjectAltName=${altName}\n`);
    const signing = ['-CA', this.ca, '-CAkey', join(this.path, 'ca.key'), '-CAcreateserial'];
    const result = ['-days', String(days), '-extfile', file('ext'), '-out', file('pem')];
    openssl('x509', '-req', '-in', file('csr'), ...signing, ...result);
    return { cert: file('pem'), key: file('key') };
  }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
