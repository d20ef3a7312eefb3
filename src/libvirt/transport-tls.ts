import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import { ConnectionError } from './error.ts';
import type { Link } from './link.ts';
import { established } from './link.ts';
import type { LibvirtUri } from './uri.ts';

const PORT = 16514;
/** The one byte that a server sends when it has accepted the client's certificate, before any message. */
const ACCEPTED = 1;

interface CertificateDirectories {
  readonly certificates: string;
  readonly userCertificates: string | undefined;
}

interface CertificateFiles {
  readonly ca: string;
  readonly crl: string;
  readonly cert: string;
  readonly key: string;
}

/** Connects to a daemon over TLS with the client's certificate, and waits until the daemon has accepted it. */
export async function openTls(
  uri: LibvirtUri,
  directories: CertificateDirectories,
  signal: AbortSignal,
): Promise<Link> {
  const { host, port = PORT, parameters } = uri;
  if (parameters.has('tls_priority')) {
    throw new ConnectionError(
      'unsupported',
      'libvirt URI: tls_priority is a setting of GnuTLS and not supported',
    );
  }
  const files = certificateFiles(parameters.get('pkipath'), directories);
  const peer = `${host} port ${port}`;
  const stream = connect({
    host,
    port,
    ca: read(files.ca),
    crl: readIfThere(files.crl),
    cert: readIfThere(files.cert),
    key: readIfThere(files.key),
    rejectUnauthorized: parameters.get('no_verify') !== '1',
  });
  try {
    await established(stream, 'secureConnect', peer, signal);
  } catch (error) {
    // Typed as always there, null unless the certificate was refused.
    const refused = stream.authorizationError as Error | string | null;
    if (refused === null) throw error;
    const words = `the server's certificate is not valid by ${files.ca}`;
    throw new ConnectionError('denied', `${peer}: ${words}: ${refused.toString()}`, { cause: error });
  }
  await accepted(stream, peer, files, signal);
  return { stream, peer };
}

/**
 * The files libvirt would use: all of `pkipath` where the URI gives one, else each of the user's that exists, else the
 * system's. Certificate and key of the client come from the same place.
 */
export function certificateFiles(
  pkipath: string | undefined,
  directories: CertificateDirectories,
): CertificateFiles {
  if (pkipath !== undefined) return inOneDirectory(pkipath);
  const { certificates, userCertificates } = directories;
  const system: CertificateFiles = {
    ca: join(certificates, 'CA/cacert.pem'),
    crl: join(certificates, 'CA/cacrl.pem'),
    cert: join(certificates, 'libvirt/clientcert.pem'),
    key: join(certificates, 'libvirt/private/clientkey.pem'),
  };
  if (userCertificates === undefined) return system;
  const user = inOneDirectory(userCertificates);
  const pair = existsSync(user.cert) && existsSync(user.key) ? user : system;
  return {
    ca: existsSync(user.ca) ? user.ca : system.ca,
    crl: existsSync(user.crl) ? user.crl : system.crl,
    cert: pair.cert,
    key: pair.key,
  };
}

function inOneDirectory(directory: string): CertificateFiles {
  return {
    ca: join(directory, 'cacert.pem'),
    crl: join(directory, 'cacrl.pem'),
    cert: join(directory, 'clientcert.pem'),
    key: join(directory, 'clientkey.pem'),
  };
}

/**
 * Waits for the byte that says the certificate was accepted. With TLS 1.3 a server refuses one only after the
 * handshake is over for the client, by an alert or by closing.
 */
async function accepted(
  stream: TLSSocket,
  peer: string,
  files: CertificateFiles,
  signal: AbortSignal,
): Promise<void> {
  const refused = `${peer}: the server did not accept the client certificate ${files.cert}`;
  try {
    await established(stream, 'readable', peer, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ConnectionError('denied', refused, { cause: error });
  }
  const byte = stream.read(1) as Buffer | null;
  if (byte?.[0] === ACCEPTED) return;
  stream.destroy();
  throw new ConnectionError('denied', refused);
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConnectionError('denied', `${path}: the certificate cannot be read (${code})`, {
      cause: error,
    });
  }
}

function readIfThere(path: string): Buffer | undefined {
  return existsSync(path) ? read(path) : undefined;
}
