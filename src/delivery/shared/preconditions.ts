import { X509Certificate } from 'node:crypto';
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { holdsMsgpack } from '../file/file.ts';
import { reasonOf } from './outage.ts';
import { requireOwnPlace } from './own-files.ts';
import { secretIn, secretPath } from './secret.ts';
import type { FileSettings, OutputSettings, SpoolSettings } from '../settings.ts';
import { tlsOptions } from './tls.ts';
import type { TlsSettings } from './tls.ts';

/** Something that an output needs on this host and cannot have. */
export interface Obstacle {
  /** The name of the output. */
  readonly output: string;
  readonly why: string;
  /** Whether this user has no permission to check: it may be in order for another one. */
  readonly denied: boolean;
  /** The directory that is not there, where that is all. */
  readonly directory: string | undefined;
}

/** The directory of a file to be made is not there. */
class MissingDirectoryError extends Error {
  override readonly name = 'MissingDirectoryError';

  constructor(
    path: string,
    readonly directory: string,
  ) {
    super(`${path}: there is no directory ${directory}`);
  }
}

/**
 * Checks the files and directories that an output needs, and changes nothing.
 *
 * @param credentials directory of $CREDENTIALS_DIRECTORY
 */
export function obstacles(output: OutputSettings, credentials: string | undefined): readonly Obstacle[] {
  return needs(output, credentials).flatMap((need) => {
    try {
      need();
      return [];
    } catch (error) {
      const directory = error instanceof MissingDirectoryError ? error.directory : undefined;
      const why = reasonOf(error as Error);
      return [{ output: output.name, why, denied: isDenied(error as Error), directory }];
    }
  });
}

/** Each throws an Error where something is missing. */
function needs(output: OutputSettings, credentials: string | undefined): readonly (() => void)[] {
  switch (output.type) {
    case 'stdout':
    case 'udp':
      return [];
    case 'file':
      return [
        () => {
          canAppend(output);
        },
      ];
    case 'tcp':
      return [tlsOf(output.tls), secretOf(output.name, output.tokenFile, credentials), spoolOf(output.spool)];
    case 'http':
      return [
        tlsOf(output.tls),
        secretOf(output.name, output.credentials.tokenFile, credentials),
        spoolOf(output.spool),
      ];
    case 'prometheus':
      return [tlsOf(output.tls), secretOf(output.name, output.credentials.tokenFile, credentials)];
  }
}

function tlsOf(tls: TlsSettings | undefined): () => void {
  return () => {
    if (tls === undefined) return;
    const { ca, cert, key } = tlsOptions(tls);
    // Node treats a file without certificates as an empty list of authorities.
    for (const [option, pem] of [['tls_ca', ca] as const, ['tls_cert', cert] as const])
      if (pem !== undefined)
        isCertificate(`${option} ${tls[option === 'tls_ca' ? 'ca' : 'cert'] ?? ''}`, pem as Buffer);
    try {
      createSecureContext({ ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) });
    } catch (error) {
      throw new Error(`tls_cert and tls_key do not match: ${(error as Error).message}`, {
        cause: error,
      });
    }
  };
}

function isCertificate(what: string, pem: Buffer): void {
  try {
    new X509Certificate(pem);
  } catch (error) {
    throw new Error(`${what}: expected a certificate in PEM: ${(error as Error).message}`, { cause: error });
  }
}

function secretOf(name: string, given: string | undefined, credentials: string | undefined): () => void {
  return () => {
    const path = secretPath(name, given, credentials);
    if (path !== undefined) secretIn(path);
  };
}

function canAppend({ path, printer }: FileSettings): void {
  const file = statOf(path);
  if (file === undefined) {
    canCreate(path);
    return;
  }
  if (file.isDirectory()) throw new Error(`${path} is a directory, expected a file`);
  accessSync(path, constants.R_OK | constants.W_OK);
  if (printer === 'msgpack' && file.isFile() && !startsWith(path, holdsMsgpack))
    throw new Error(`${path} contains something other than msgpack`);
}

function spoolOf(spool: SpoolSettings | undefined): () => void {
  return () => {
    if (spool === undefined) return;
    canMake(spool.directory);
    requireOwnPlace(spool.directory);
  };
}

/** The directory of a file to be made must be there. */
function canCreate(path: string): void {
  const directory = dirname(resolve(path));
  const found = statOf(directory);
  if (found === undefined) throw new MissingDirectoryError(path, directory);
  if (!found.isDirectory()) throw new Error(`${path}: ${directory} is not a directory`);
  accessSync(directory, constants.W_OK | constants.X_OK);
}

/** A directory that can be written to, or made with those above it. */
function canMake(path: string): void {
  const directory = resolve(path);
  const found = statOf(directory);
  if (found === undefined) {
    canMake(dirname(directory));
    return;
  }
  if (!found.isDirectory()) throw new Error(`${directory} is not a directory`);
  accessSync(directory, constants.W_OK | constants.X_OK);
}

/** Undefined where there is nothing. */
function statOf(path: string): ReturnType<typeof statSync> {
  return statSync(path, { throwIfNoEntry: false });
}

function startsWith(path: string, matches: (first: number | undefined) => boolean): boolean {
  const file = openSync(path, 'r');
  try {
    const first = Buffer.alloc(1);
    return matches(readSync(file, first, 0, 1, 0) === 0 ? undefined : first[0]);
  } finally {
    closeSync(file);
  }
}

function isDenied(error: Error): boolean {
  const { code } = (error.cause ?? error) as NodeJS.ErrnoException;
  return (code === 'EACCES' || code === 'EPERM') && process.geteuid?.() !== 0;
}
