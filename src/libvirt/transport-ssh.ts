import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { ConnectionError } from './error.ts';
import type { Link } from './link.ts';
import type { LibvirtUri } from './uri.ts';

/** Where the remote host keeps its sockets. */
const REMOTE_SOCKET = '/var/run/libvirt/libvirt-sock-ro';
/** Of what ssh says on its standard error, the last part is kept for the message. */
const LONGEST_WORDS = 1000;

/**
 * Starts ssh, which runs libvirt's helper on the remote host, or netcat where the helper is missing. That it works
 * shows only in the answer to the first call: where it does not, the stream fails with what ssh said.
 */
export function openSsh(uri: LibvirtUri): Link {
  const peer = `${uri.host} over ssh`;
  const child = spawn(uri.parameters.get('command') ?? 'ssh', sshArguments(uri), { stdio: 'pipe' });
  const stream = new Duplex({
    read: () => child.stdout.resume(),
    write: (chunk, encoding, done) => {
      child.stdin.write(chunk, encoding, () => {
        done();
      });
    },
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  child.stdout.on('data', (chunk) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  // A broken pipe: the end of ssh, which follows, tells why.
  child.stdin.on('error', () => undefined);
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-LONGEST_WORDS);
  });
  child.on('error', (error) => {
    stream.destroy(
      new ConnectionError('unreachable', `${peer}: cannot start ssh: ${error.message}`, { cause: error }),
    );
  });
  child.on('close', (code) => {
    const reason = words.trim() || `ssh ended with code ${code ?? 'none'}`;
    stream.destroy(new ConnectionError('unreachable', `${peer}: ${reason}`));
  });
  return { stream, peer };
}

/** The arguments of ssh. It never asks anything: nobody is there to answer. */
export function sshArguments(uri: LibvirtUri): string[] {
  const { host, port, user, parameters } = uri;
  const keyfile = parameters.get('keyfile');
  return [
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(keyfile === undefined ? [] : ['-i', keyfile]),
    ...(parameters.get('no_verify') === '1' ? ['-o', 'StrictHostKeyChecking=no'] : []),
    ...['-T', '-e', 'none', '-o', 'BatchMode=yes', '--', host, remoteCommand(uri)],
  ];
}

/** What the remote shell runs, by ?proxy=: libvirt's helper (native), netcat, or whichever is there (auto). */
function remoteCommand({ name, scope, parameters }: LibvirtUri): string {
  const socket = parameters.get('socket');
  const netcat = parameters.get('netcat');
  const proxy = parameters.get('proxy') ?? (socket === undefined && netcat === undefined ? 'auto' : 'netcat');
  const helper = `exec virt-ssh-helper -r ${quote(name)}`;
  if (proxy === 'native') return inShell(helper);
  if (proxy !== 'netcat' && proxy !== 'auto') {
    throw new ConnectionError('uri', `libvirt URI: proxy=${proxy}, expected auto, native or netcat`);
  }
  if (proxy === 'auto') {
    const fallback = scope === 'system' ? netcatCommand('nc', REMOTE_SOCKET) : helper;
    return inShell(`if command -v virt-ssh-helper >/dev/null; then ${helper}; fi; ${fallback}`);
  }
  if (socket === undefined && scope === 'session') {
    throw new ConnectionError('unsupported', 'libvirt URI: netcat to a user session needs socket=');
  }
  return inShell(netcatCommand(netcat ?? 'nc', socket ?? REMOTE_SOCKET));
}

/** OpenBSD's netcat must be told to end with its input; others do so and do not know the option. */
function netcatCommand(netcat: string, socket: string): string {
  const nc = quote(netcat);
  return `if ${nc} -q 2>&1 | grep -q argument; then q=-q0; fi; exec ${nc} $q -U ${quote(socket)}`;
}

/** The user's login shell may be of any kind. */
function inShell(script: string): string {
  return `sh -c ${quote(script)}`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
