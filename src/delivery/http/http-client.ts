import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Answer } from './http-answer.ts';
import type { TlsOptions } from '../shared/tls.ts';

/** Bytes of an answer that are read before the connection is given up. */
const mostRead = 64 << 10;

/** Interim answers (1xx) that may come before the one that counts. */
const mostInterim = 16;

/** Posts to one URL over one connection that is kept open. */
export class HttpClient {
  private readonly url: URL;
  private readonly agent: HttpAgent | HttpsAgent;
  private opened = 0;
  private wasHandedOver = false;
  private current: ClientRequest | undefined;

  /**
   * @param timeout ms for a whole request: look-up, connection, body and answer
   * @param tls for https
   * @param onReconnect called for each connection after the first one
   */
  constructor(
    url: string,
    private readonly timeout: number,
    tls: TlsOptions,
    private readonly onReconnect: () => void,
  ) {
    this.url = new URL(url);
    const options = { keepAlive: true, maxSockets: 1 };
    this.agent =
      this.url.protocol === 'https:' ? new HttpsAgent({ ...options, ...tls }) : new HttpAgent(options);
  }

  /** Connections that were made. */
  get connections(): number {
    return this.opened;
  }

  /** Whether the last request had a connection, so that the server may have got it even without an answer. */
  get handedOver(): boolean {
    return this.wasHandedOver;
  }

  /**
   * Posts a body and returns the answer, whatever its status. A connection that the server closed while it was idle is
   * replaced silently.
   *
   * @throws Error (as rejection) when there is no answer in time, or none at all
   */
  async post(body: Buffer, headers: OutgoingHttpHeaders): Promise<Answer> {
    try {
      return await this.once(body, headers);
    } catch (error) {
      if (this.current?.reusedSocket !== true) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ECONNRESET' && code !== 'EPIPE') throw error;
      return await this.once(body, headers);
    }
  }

  /** Ends what is under way. */
  close(): void {
    this.current?.destroy(new Error('closed'));
    this.agent.destroy();
  }

  private once(body: Buffer, headers: OutgoingHttpHeaders): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const post = this.url.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = post(this.url, {
        method: 'POST',
        agent: this.agent,
        headers: { ...headers, 'Content-Length': body.length },
      });
      this.current = request;
      this.wasHandedOver = false;
      let response: IncomingMessage | undefined;
      const timer = setTimeout(() => {
        // The status decides; without it nothing is known.
        if (response === undefined) request.destroy(new Error(`no answer for ${this.timeout / 1000} s`));
        else response.destroy();
      }, this.timeout);
      request.once('socket', (socket) => {
        this.wasHandedOver = !socket.connecting;
        if (socket.connecting)
          socket.once('connect', () => {
            if (this.opened++ > 0) this.onReconnect();
            this.wasHandedOver = true;
          });
      });
      let interim = 0;
      request.on('information', () => {
        if (++interim > mostInterim)
          request.destroy(new Error(`no final answer after ${mostInterim} interim ones (1xx)`));
      });
      request.once('response', (incoming) => {
        response = incoming;
        const { statusCode: status = 0, headers } = incoming;
        void read(incoming).then((body) => {
          clearTimeout(timer);
          resolve({
            status,
            retryAfter: headers['retry-after'],
            contentType: headers['content-type'],
            body,
          });
        });
      });
      request.on('error', (error) => {
        if (response === undefined) reject(error);
      });
      request.once('close', () => {
        if (response !== undefined) return;
        clearTimeout(timer);
        // Also if Node reports no error, as when the server switches to another protocol.
        reject(new Error('no answer'));
      });
      request.end(body);
    });
  }
}

/** Reads an answer to its end, because only then the connection can be used again; returns its beginning. Never rejects. */
function read(response: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let length = 0;
    response.on('data', (piece: Buffer) => {
      pieces.push(piece);
      length += piece.length;
      if (length > mostRead) response.destroy();
    });
    response.on('error', () => undefined);
    response.once('close', () => {
      resolve(Buffer.concat(pieces));
    });
  });
}
