import type { Link } from './link.ts';
import { openSsh } from './transport-ssh.ts';
import { openTcp } from './transport-tcp.ts';
import { openTls } from './transport-tls.ts';
import { openUnix } from './transport-unix.ts';
import type { LibvirtUri } from './uri.ts';

/** Where libvirt keeps what a client needs on this machine. */
export interface Directories {
  /** Sockets of the system's daemons: libvirt/ in the runtime directory. */
  readonly sockets: string;
  /** Sockets of this user's own daemon: libvirt/ in $XDG_RUNTIME_DIR; undefined where that is not set. */
  readonly sessionSockets: string | undefined;
  /** The system's certificates, normally /etc/pki. */
  readonly certificates: string;
  /** This user's certificates, .pki/libvirt in the home directory; undefined for root, as in libvirt. */
  readonly userCertificates: string | undefined;
}

/**
 * Opens a link to the daemon that `uri` names. libvirt's daemon is never started by this.
 * @throws ConnectionError unreachable, denied, unsupported or closed; the signal's reason when that aborts
 */
export function openLink(uri: LibvirtUri, directories: Directories, signal: AbortSignal): Promise<Link> {
  switch (uri.transport) {
    case 'unix':
      return openUnix(uri, directories, signal);
    case 'ssh':
      return Promise.resolve(openSsh(uri));
    case 'tcp':
      return openTcp(uri, signal);
    case 'tls':
      return openTls(uri, directories, signal);
  }
}
