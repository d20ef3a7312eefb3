import { EventEmitter } from 'node:events';
import { Connection } from './connection.ts';
import { ConnectionError, LibvirtError } from './error.ts';
import type { DomainEvent } from './events.ts';
import { CONNECTION_CLOSED, eventIds, readEvent } from './events.ts';
import type { Domain, DomainStats } from './protocol.ts';
import * as remote from './protocol.ts';
import type { Directories } from './transport.ts';
import { openLink } from './transport.ts';
import type { LibvirtUri } from './uri.ts';
import { parseUri } from './uri.ts';

const READ_ONLY = 1;

/** Which domains {@link Hypervisor.listDomains} and {@link Hypervisor.allDomainStats} are about; they add up. */
export const listFlags = { active: 1, inactive: 2 } as const;

/** Groups of statistics; they add up. Only state and interface are answered without asking QEMU's monitor. */
export const statsGroups = {
  state: 1,
  cpu: 2,
  balloon: 4,
  vcpu: 8,
  interface: 16,
  block: 32,
  iothread: 128,
} as const;

/** Further flags of {@link Hypervisor.allDomainStats}. noWait: skip what needs a domain that is busy with another job. */
export const statsFlags = { noWait: 1 << 29, backingChain: 1 << 30 } as const;

/** States of a domain by libvirt's number (virDomainState), in libvirt's words. */
export const domainStates = [
  'nostate',
  'running',
  'blocked',
  'paused',
  'shutdown',
  'shutoff',
  'crashed',
  'pmsuspended',
] as const;

interface HypervisorEvents {
  /** Something happened to a domain; only after {@link Hypervisor.subscribe}. */
  domain: [event: DomainEvent];
  /** The connection is gone; not emitted by {@link Hypervisor.close}. Every call fails from then on. */
  lost: [reason: ConnectionError];
}

/**
 * Connects to libvirt, read-only.
 * @param text a connection URI such as qemu:///system
 * @param callTimeout ms that each later call may take
 * @param signal ends the attempt when it aborts, so it is also the time limit of connecting
 * @throws ConnectionError, or LibvirtError where the daemon refuses to open the URI
 */
export async function connectHypervisor(
  text: string,
  directories: Directories,
  callTimeout: number,
  signal: AbortSignal,
): Promise<Hypervisor> {
  const uri = parseUri(text);
  try {
    const connection = new Connection(await openLink(uri, directories, signal));
    // Listens from the start: what the server says along with its last answer must not be missed.
    const hypervisor = new Hypervisor(connection, callTimeout);
    await openSession(connection, uri, signal);
    return hypervisor;
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new ConnectionError('timeout', `${text}: no connection to libvirt in time`, { cause: error });
  }
}

async function openSession(connection: Connection, uri: LibvirtUri, signal: AbortSignal): Promise<void> {
  const abort = (): void => {
    connection.close();
  };
  signal.addEventListener('abort', abort);
  try {
    signal.throwIfAborted();
    await authenticate(connection);
    await connection.call(remote.connectOpen, [uri.name, READ_ONLY], 0);
    if (await connection.call(remote.supportsFeature, [remote.feature.closeCallback], 0)) {
      await connection.call(remote.registerCloseCallback, [], 0);
    }
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The list must be asked for even where nothing is asked of us: that is what admits root. */
async function authenticate(connection: Connection): Promise<void> {
  const types = await connection.call(remote.authList, [], 0);
  if (types.includes(remote.authType.none)) return;
  if (!types.includes(remote.authType.polkit)) {
    const asked = types.includes(remote.authType.sasl) ? 'SASL' : `type ${types.join(', ')}`;
    throw new ConnectionError(
      'unsupported',
      `${connection.peer}: authentication by ${asked} is not supported`,
    );
  }
  try {
    await connection.call(remote.authPolkit, [], 0);
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error;
    const words = `polkit: ${error.message}; run as root or join the group libvirt`;
    throw new ConnectionError('denied', `${connection.peer}: ${words}`, { cause: error });
  }
}

/**
 * A libvirt daemon that was opened read-only. Calls throw LibvirtError where it answers with an error, and
 * ConnectionError where it does not answer in time or the connection is gone.
 */
export class Hypervisor extends EventEmitter<HypervisorEvents> {
  private readonly getStates = remote.remembering(remote.getAllDomainStats);

  constructor(
    private readonly connection: Connection,
    private readonly callTimeout: number,
  ) {
    super();
    connection.on('lost', (reason) => {
      this.emit('lost', reason);
    });
    connection.on('message', (procedure, payload) => {
      if (procedure === CONNECTION_CLOSED) {
        connection.lose(
          new ConnectionError('closed', `${connection.peer}: the daemon behind the proxy is gone`),
        );
        return;
      }
      const event = readEvent(procedure, payload);
      if (event !== undefined) this.emit('domain', event);
    });
  }

  /**
   * Calls that the daemon has not answered, those included that timed out. From four on nothing more is sent, so a
   * caller whose call timed out waits for this to fall before it asks the same again.
   */
  get unanswered(): number {
    return this.connection.unanswered;
  }

  hostname(): Promise<string> {
    return this.connection.call(remote.getHostname, [], this.callTimeout);
  }

  /** @param flags {@link listFlags} */
  listDomains(flags: number = listFlags.active): Promise<Domain[]> {
    return this.connection.call(remote.listAllDomains, [flags], this.callTimeout);
  }

  /**
   * Statistics of many domains in one call. One domain whose QEMU hangs holds up the whole call, if a group asks the
   * monitor; a domain that is gone is left out.
   * @param groups {@link statsGroups}
   * @param flags {@link statsFlags} and {@link listFlags}
   * @param domains the domains asked about; all that match the flags if empty
   */
  allDomainStats(
    groups: number,
    flags: number = listFlags.active | statsFlags.noWait,
    domains: readonly Domain[] = [],
  ): Promise<DomainStats[]> {
    return this.connection.call(remote.getAllDomainStats, [domains, groups, flags], this.callTimeout);
  }

  /** The group state of all active domains; the same list as the last time where nothing has changed. */
  allDomainStates(): Promise<readonly DomainStats[]> {
    const flags = listFlags.active | statsFlags.noWait;
    return this.connection.call(this.getStates, [[], statsGroups.state, flags], this.callTimeout);
  }

  /** The XML of a domain as it runs now, without secrets. */
  domainXml(domain: Domain): Promise<string> {
    return this.connection.call(remote.getXmlDesc, [domain, 0], this.callTimeout);
  }

  /** Lets `domain` events flow, of all domains, until the connection ends. */
  async subscribe(): Promise<void> {
    for (const id of eventIds) await this.connection.call(remote.registerEvent, [id], this.callTimeout);
  }

  close(): void {
    this.connection.close();
  }
}
