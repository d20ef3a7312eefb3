import { EventEmitter } from 'node:events';
import { ConnectionError } from './error.ts';
import type { Link } from './link.ts';
import type { Header } from './messages.ts';
import { encodeMessage, keepalive, MessageDecoder, messageType, program, status } from './messages.ts';
import type { Procedure } from './protocol.ts';
import { readError } from './protocol.ts';
import type { XdrReader } from './xdr.ts';
import { XdrError } from './xdr.ts';

/** A server takes five calls of a connection and then stops reading; one place stays free for pings. */
const MOST_IN_FLIGHT = 4;
/** Silence after which we ask whether the server is still there, in ms. */
const PING_INTERVAL = 5000;
/** Unanswered pings after which it is not. */
const MOST_PINGS = 5;

interface Call {
  readonly serial: number;
  readonly request: Buffer;
  readonly succeed: (reply: XdrReader) => void;
  readonly fail: (error: Error) => void;
}

interface ConnectionEvents {
  /** A message that answers no call. The payload may be read until the listener returns. */
  message: [procedure: number, payload: XdrReader];
  /** The connection is gone, and not because {@link Connection.close} was called. At most once. */
  lost: [reason: ConnectionError];
}

/**
 * Calls and events over one link to libvirt.
 *
 * Replies come in any order and are matched by serial number. A call that timed out keeps its place among the four in
 * flight until the server answers it after all, because it keeps its place in the server too.
 */
export class Connection extends EventEmitter<ConnectionEvents> {
  private readonly decoder = new MessageDecoder((header, payload) => {
    this.dispatch(header, payload);
  });
  private readonly waiting: Call[] = [];
  private readonly inFlight = new Map<number, Call>();
  private readonly pinger: NodeJS.Timeout;
  private serial = 0;
  private pings = 0;
  private heard = true;
  private end: ConnectionError | undefined;

  /** @param link open, @param pingInterval ms of silence before a ping, and between pings */
  constructor(
    private readonly link: Link,
    pingInterval = PING_INTERVAL,
  ) {
    super();
    const { stream } = link;
    stream.on('data', (chunk: Buffer) => {
      this.receive(chunk);
    });
    stream.on('error', (error) => {
      this.lose(error instanceof ConnectionError ? error : this.closed(error.message));
    });
    stream.on('close', () => {
      this.lose(this.closed('the server closed the connection'));
    });
    this.pinger = setInterval(() => {
      this.ping();
    }, pingInterval);
  }

  /** Names the server in messages. */
  get peer(): string {
    return this.link.peer;
  }

  /** Calls that the server has not answered, those included that timed out. */
  get unanswered(): number {
    return this.inFlight.size;
  }

  /**
   * Calls a procedure.
   * @param timeout ms from now until the answer must be there, waiting for a place included; 0 for no limit
   * @throws LibvirtError when the server answers with an error, ConnectionError when there is no answer
   */
  call<A extends readonly unknown[], R>(procedure: Procedure<A, R>, args: A, timeout: number): Promise<R> {
    return new Promise((resolve, reject) => {
      if (this.end !== undefined) throw this.end;
      const serial = this.serial++ >>> 0;
      const header = {
        program: program.remote,
        procedure: procedure.number,
        type: messageType.call,
        serial,
        status: status.ok,
      };
      const request = encodeMessage(header, (writer) => {
        procedure.write(writer, ...args);
      });
      const expire = (): void => {
        const place = this.waiting.indexOf(call);
        if (place >= 0) this.waiting.splice(place, 1);
        reject(
          new ConnectionError('timeout', `${this.peer}: no answer to ${procedure.name} within ${timeout} ms`),
        );
      };
      const timer = timeout > 0 ? setTimeout(expire, timeout) : undefined;
      const call: Call = {
        serial,
        request,
        succeed: (reply) => {
          resolve(procedure.read(reply));
          clearTimeout(timer);
        },
        fail: (error) => {
          reject(error);
          clearTimeout(timer);
        },
      };
      this.waiting.push(call);
      this.sendWaiting();
    });
  }

  /** Ends the connection; calls without an answer fail with `reason`. */
  close(reason = this.closed('the connection was closed')): void {
    if (this.end !== undefined) return;
    this.end = reason;
    clearInterval(this.pinger);
    for (const call of [...this.inFlight.values(), ...this.waiting.splice(0)]) call.fail(reason);
    this.inFlight.clear();
    this.link.stream.destroy();
  }

  /** Ends the connection as {@link close} does, and tells the listeners why. */
  lose(reason: ConnectionError): void {
    if (this.end !== undefined) return;
    this.close(reason);
    this.emit('lost', reason);
  }

  private sendWaiting(): void {
    while (this.inFlight.size < MOST_IN_FLIGHT) {
      const call = this.waiting.shift();
      if (call === undefined) return;
      this.inFlight.set(call.serial, call);
      this.link.stream.write(call.request);
    }
  }

  private receive(chunk: Buffer): void {
    this.heard = true;
    try {
      this.decoder.push(chunk);
    } catch (error) {
      if (!(error instanceof XdrError)) throw error;
      const message = `${this.peer}: this is not libvirt, or it breaks the protocol: ${error.message}`;
      this.lose(new ConnectionError('protocol', message, { cause: error }));
    }
  }

  private dispatch(header: Header, payload: XdrReader): void {
    if (this.end !== undefined) return;
    if (header.program === program.keepalive) {
      if (header.procedure === keepalive.ping) this.sendKeepalive(keepalive.pong);
    } else if (header.program === program.remote && header.type === messageType.reply) {
      this.settle(header, payload);
    } else if (header.program === program.remote && header.type === messageType.message) {
      this.emit('message', header.procedure, payload);
    } else {
      throw new XdrError(`a message of program ${header.program} and type ${header.type}`);
    }
  }

  private settle(header: Header, payload: XdrReader): void {
    const call = this.inFlight.get(header.serial);
    if (call === undefined) throw new XdrError(`a reply to a call never made (serial ${header.serial})`);
    if (header.status === status.ok) call.succeed(payload);
    else call.fail(readError(payload));
    // Only now: where the payload could not be read, the call fails with the connection.
    this.inFlight.delete(header.serial);
    this.sendWaiting();
  }

  private ping(): void {
    if (this.heard) {
      this.heard = false;
      this.pings = 0;
    } else if (this.pings < MOST_PINGS) {
      this.pings++;
      this.sendKeepalive(keepalive.ping);
    } else {
      this.lose(new ConnectionError('timeout', `${this.peer}: the server does not answer pings`));
    }
  }

  private sendKeepalive(procedure: number): void {
    const header = {
      program: program.keepalive,
      procedure,
      type: messageType.message,
      serial: 0,
      status: status.ok,
    };
    this.link.stream.write(encodeMessage(header));
  }

  private closed(words: string): ConnectionError {
    return new ConnectionError('closed', `${this.peer}: ${words}`);
  }
}
