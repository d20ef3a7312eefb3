import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connectHypervisor } from '../../src/libvirt/hypervisor.ts';
import type { Hypervisor } from '../../src/libvirt/hypervisor.ts';
import type { Header } from '../../src/libvirt/messages.ts';
import { encodeMessage, MessageDecoder } from '../../src/libvirt/messages.ts';
import * as remote from '../../src/libvirt/protocol.ts';
import type { Directories } from '../../src/libvirt/transport.ts';
import type { XdrReader, XdrWriter } from '../../src/libvirt/xdr.ts';
import { capture } from './captures.ts';

/** For a URI that names its socket. */
export const noDirectories: Directories = {
  sockets: '',
  sessionSockets: undefined,
  certificates: '',
  userCertificates: undefined,
};

/** Answers one call. @param payload its arguments, to be read until it returns */
export type Answer = (header: Header, socket: Socket, payload: XdrReader) => void;

/** A server that answers libvirt's protocol as a test says. */
export class Peer {
  readonly requests: Header[] = [];
  readonly sockets: Socket[] = [];
  readonly directory = mkdtempSync(join(tmpdir(), 'proxtop-peer-'));
  readonly path = join(this.directory, 'sock');
  private readonly server: Server;

  constructor(t: TestContext, answer: Answer) {
    this.server = createServer((socket) => {
      this.sockets.push(socket);
      const decoder = new MessageDecoder((header, payload) => {
        this.requests.push(header);
        answer(header, socket, payload);
      });
      socket.on('data', (chunk) => {
        decoder.push(chunk);
      });
      socket.on('error', () => undefined);
    });
    t.after(() => {
      this.server.close();
      for (const socket of this.sockets) socket.destroy();
      rmSync(this.directory, { recursive: true });
    });
  }

  async listen(): Promise<this> {
    this.server.listen(this.path);
    await once(this.server, 'listening');
    return this;
  }

  get uri(): string {
    return `qemu+unix:///system?socket=${this.path}`;
  }

  hypervisor(timeout = 2000): Promise<Hypervisor> {
    return connectHypervisor(this.uri, noDirectories, timeout, AbortSignal.timeout(timeout));
  }
}

export function peer(t: TestContext, answer: Answer): Promise<Peer> {
  return new Peer(t, answer).listen();
}

/** Sends a reply. @param write its payload */
export function reply(socket: Socket, header: Header, write?: (writer: XdrWriter) => void): void {
  socket.write(encodeMessage({ ...header, type: 1 }, write));
}

/** Sends a captured reply as the answer to another call. */
export function replay(socket: Socket, header: Header, name: string): void {
  const bytes = Buffer.from(capture(name).reply);
  bytes.writeUInt32BE(header.serial, 20);
  socket.write(bytes);
}

/** Answers what belongs to the opening of a session, and passes the rest on. */
export function session(answer: Answer): Answer {
  return (header, socket, payload) => {
    switch (header.procedure) {
      case remote.authList.number:
        replay(socket, header, 'AUTH_LIST (66), root');
        break;
      case remote.connectOpen.number:
      case remote.registerCloseCallback.number:
        reply(socket, header);
        break;
      case remote.supportsFeature.number:
        reply(socket, header, (writer) => writer.int(1));
        break;
      default:
        answer(header, socket, payload);
    }
  };
}
