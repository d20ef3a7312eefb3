import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Header } from '../../src/libvirt/messages.ts';
import { encodeMessage } from '../../src/libvirt/messages.ts';
import type { Domain } from '../../src/libvirt/protocol.ts';
import * as remote from '../../src/libvirt/protocol.ts';
import type { XdrWriter } from '../../src/libvirt/xdr.ts';
import { peer, replay, reply, session } from './peer.ts';
import type { Peer } from './peer.ts';

const INT64 = 4;
const STRING = 7;

/** A domain of the fake daemon, with what is told of it whatever groups are asked for. */
export interface FakeDomain extends Domain {
  readonly stats: Readonly<Record<string, number | string>>;
  readonly xml?: string;
}

/** A call for statistics: which groups, and about which domains (all, if none is named). */
interface StatsCall {
  readonly groups: number;
  readonly names: readonly string[];
}

/**
 * Stands for a libvirtd where a test needs one that skips domains, fails or hangs on demand, which a real one does only
 * by chance. Real ones are in test/e2e.
 */
export class FakeLibvirtd {
  domains: readonly FakeDomain[] = [];
  /** How the next calls for statistics of these groups fare instead of being answered, one after the other. */
  readonly instead: { readonly groups: number; readonly how: 'hang' | 'fail' }[] = [];
  /** Calls for statistics so far. */
  readonly calls: StatsCall[] = [];
  /** Says of a call that was counted which domains' monitors do not answer it, by name. */
  busy: (call: StatsCall) => readonly string[] = () => [];
  private readonly hanging: (() => void)[] = [];

  private constructor(readonly peer: Peer) {}

  static async start(t: TestContext): Promise<FakeLibvirtd> {
    const server = await peer(
      t,
      session((header, socket, payload) => {
        switch (header.procedure) {
          case remote.getHostname.number:
            reply(socket, header, (writer) => writer.string('far'));
            break;
          case remote.registerEvent.number:
            reply(socket, header, (writer) => writer.int(0));
            break;
          case remote.getAllDomainStats.number: {
            const names = payload.array(100, (reader) => remote.readDomain(reader).name);
            daemon.tellStats(header, socket, { groups: payload.uint(), names });
            break;
          }
          case remote.getXmlDesc.number: {
            const { name } = remote.readDomain(payload);
            const xml = daemon.domains.find((each) => each.name === name)?.xml ?? '';
            reply(socket, header, (writer) => writer.string(xml));
            break;
          }
        }
      }),
    );
    const daemon = new FakeLibvirtd(server);
    return daemon;
  }

  /** Says that a domain was suspended, on every connection: the recorded event, about domain lv8. */
  announce(): void {
    for (const socket of this.peer.sockets) {
      const header = { program: 0x20008086, procedure: 318, type: 2, serial: 1, status: 0 };
      const { name, uuid, id } = this.domains[0] ?? { name: '', uuid: '', id: 0 };
      socket.write(
        encodeMessage(header, (writer) => writer.int(0).string(name).uuid(uuid).int(id).int(3).int(0)),
      );
    }
  }

  /** Lets the calls that hang be answered after all. */
  wakeUp(): void {
    for (const answer of this.hanging.splice(0)) answer();
  }

  /** Drops every connection. */
  dropConnections(): void {
    for (const socket of this.peer.sockets.splice(0)) socket.destroy();
  }

  private tellStats(header: Header, socket: Socket, call: StatsCall): void {
    this.calls.push(call);
    const next = this.instead.findIndex(({ groups }) => (groups & call.groups) !== 0);
    const [instead] = next < 0 ? [] : this.instead.splice(next, 1);
    if (instead?.how === 'fail') {
      replay(socket, header, 'DOMAIN_GET_XML_DESC (14) unknown domain');
      return;
    }
    const answer = (): void => {
      const busy = this.busy(call);
      const told = this.domains.filter(({ name }) => call.names.length === 0 || call.names.includes(name));
      reply(socket, header, (writer) =>
        writer.array(told, (to, each) => {
          writeStats(to, each, busy);
        }),
      );
    };
    if (instead?.how === 'hang') this.hanging.push(answer);
    else answer();
  }
}

/** libvirt leaves out what only the monitor knows, without an error. */
function writeStats(writer: XdrWriter, { name, uuid, id, stats }: FakeDomain, busy: readonly string[]): void {
  const told = Object.entries(stats).filter(
    ([key]) => !busy.includes(name) || !/^(?:balloon|block)\./.test(key),
  );
  writer.string(name).uuid(uuid).int(id);
  writer.array(told, (to, [key, value]) => {
    to.string(key);
    if (typeof value === 'string') to.int(STRING).string(value);
    else
      to.int(INT64)
        .uint(Math.floor(value / 2 ** 32))
        .uint(value >>> 0);
  });
}

/** A running domain whose monitor answers. */
export function fakeDomain(name: string, id: number, stats: FakeDomain['stats'] = {}): FakeDomain {
  const uuid = `11111111-2222-3333-4444-${String(id).padStart(12, '0')}`;
  return { name, uuid, id, stats: { 'state.state': 1, 'balloon.rss': 1024, ...stats }, xml: '' };
}
