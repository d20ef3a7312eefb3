import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { SlowFiles } from '../../guests/slow-files.ts';
import { PrometheusPage } from '../../formats/prometheus/page.ts';
import type { OutputStatus } from '../../sampling/output-status.ts';
import type { Sample } from '../../sampling/sample.ts';
import { backoff } from '../../base/pacing/backoff.ts';
import { Drops } from '../ledger/drops.ts';
import { MinuteLimit } from '../../base/pacing/minute-limit.ts';
import { reasonOf } from '../shared/outage.ts';
import type { Output } from '../output.ts';
import { Selector } from '../selection.ts';
import type { PrometheusSettings } from '../settings.ts';
import { readTls, tlsOptions } from '../shared/tls.ts';
import { Connections, keyOf } from './connections.ts';
import { gate } from './gate.ts';
import { acceptsGzip, contentTypes, pageFormat } from './negotiation.ts';
import { Pages } from './pages.ts';

const PATH = '/metrics';
const INDEX = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>proxtop</title></head>
<body><h1>proxtop</h1><p>For Prometheus: <a href="${PATH}">${PATH}</a></p></body></html>
`;
/** Scrapers are few; more connections come from something else. */
const MAX_CONNECTIONS = 16;
/** Requests after which a scraper has to reconnect. */
const MAX_REQUESTS = 100;
/** How long a scraper may keep its connection for the next scrape, ms. */
const KEEP_ALIVE = 75_000;
/** How long reading a file may take, ms. */
const FILE_DEADLINE = 2000;
/** How often Node looks for requests that take too long, ms. */
const CHECK = 1000;

/**
 * Serves the latest sample to Prometheus. A sample is only referenced; it becomes a page on request, once for each format
 * however many ask. Sampling never waits, and a request triggers no sampling.
 *
 * A connection is cut that has not sent its request, or not taken its page, within `timeout`; for the others see {@link
 * Connections}.
 */
export class PrometheusEndpoint implements Output {
  readonly name: string;
  private readonly settings: PrometheusSettings;
  private readonly log: Logger;
  private readonly pages: Pages;
  private readonly select: Selector | undefined;
  private readonly admits: (header: string | undefined) => Promise<boolean>;
  private readonly server: Server | TlsServer;
  private readonly files = new SlowFiles(FILE_DEADLINE);
  private readonly connections = new Connections(MAX_CONNECTIONS);
  private readonly complaint = new MinuteLimit();
  private state: OutputStatus['state'] = 'connecting';
  /** What is wrong at the moment. */
  private readonly troubles = new Map<'address' | 'certificate' | 'page', string>();
  private served = 0;
  /** Whether this host watches others, which have pages of their own. */
  private ofCluster = false;
  private attempts = 0;
  private retry: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;

  /** Listens at once; where it cannot, it tries again. @throws Error for a file of TLS or of a secret that cannot be read */
  constructor(settings: PrometheusSettings, log: Logger) {
    const { name, print, select, tls, timeout } = settings;
    this.name = name;
    this.settings = settings;
    this.log = log.child({}, { msgPrefix: `${name}: ` });
    this.select = select && new Selector(select);
    const printer = new PrometheusPage(print);
    this.pages = new Pages((sample, format) => printer.print(sample, format));
    this.admits = gate(settings, process.env['CREDENTIALS_DIRECTORY']);
    const limits: ServerOptions = {
      headersTimeout: timeout * 1000,
      requestTimeout: timeout * 1000,
      keepAliveTimeout: KEEP_ALIVE,
      connectionsCheckingInterval: CHECK,
    };
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      this.answer(request, response);
    };
    this.server =
      tls === undefined
        ? createServer(limits, answer)
        : createTlsServer({ ...limits, ...tlsOptions(tls), handshakeTimeout: timeout * 1000 }, answer);
    this.server.maxRequestsPerSocket = MAX_REQUESTS;
    this.server.on('connection', (socket: Socket) => {
      this.connections.add(socket);
    });
    this.server.on('error', (error) => {
      this.failed(error);
    });
    this.server.on('listening', () => {
      this.listening();
    });
    this.listen();
  }

  get status(): OutputStatus {
    return {
      state: this.state,
      queued: 0,
      queuedBytes: 0,
      spooled: 0,
      spooledBytes: 0,
      oldest: undefined,
      unconfirmed: 0,
      sent: this.served,
      resent: 0,
      dropped: 0,
      droppedBy: new Drops().by,
      reconnects: 0,
      lastError: this.troubles.size > 0 ? [...this.troubles.values()].join('; ') : undefined,
    };
  }

  write(sample: Sample): void {
    // Counters of other nodes do not come with their samples: a page of rates would tell Prometheus nothing.
    this.ofCluster ||= sample.agent.nodes.length > 0;
    if (this.ofCluster && sample.agent.nodes.length === 0) return;
    this.pages.replace(this.select === undefined ? sample : this.select.part(sample));
  }

  /** Reads certificate and key again, in the background. */
  reopen(): void {
    const { server, settings, files } = this;
    if (settings.tls === undefined || !('setSecureContext' in server)) return;
    readTls(settings.tls, files)
      .then((options) => {
        server.setSecureContext(options);
        this.troubles.delete('certificate');
      })
      .catch((error: unknown) => {
        const trouble = `${reasonOf(error as Error)}; the certificate read before stays`;
        this.troubles.set('certificate', trouble);
        this.log.error(trouble);
      });
  }

  begin(): void {
    // It listens already.
  }

  close(deadline: number): Promise<void> {
    return (this.closing ??= this.end(deadline));
  }

  private end(deadline: number): Promise<void> {
    clearTimeout(this.retry);
    const server = this.server;
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        server.closeAllConnections();
      }, deadline);
      server.close(() => {
        clearTimeout(late);
        resolve();
      });
      server.closeIdleConnections();
    });
  }

  private listen(): void {
    const { host, port } = this.settings;
    this.server.listen({ host, port });
  }

  private listening(): void {
    const { host, port } = this.settings;
    if (this.state === 'down') this.log.info(`now listening on ${host} port ${port}`);
    this.state = 'up';
    this.troubles.delete('address');
    this.attempts = 0;
  }

  private failed(error: Error): void {
    if (this.server.listening || this.closing !== undefined) return;
    const { host, port } = this.settings;
    const trouble = `cannot listen on ${host} port ${port}: ${reasonOf(error)}`;
    this.troubles.set('address', trouble);
    if (this.state !== 'down') this.log.error(`${trouble}; retrying`);
    this.state = 'down';
    this.retry = setTimeout(() => {
      this.listen();
    }, backoff(this.attempts++));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const key = keyOf(socket);
    if (!this.connections.begin(socket)) return;
    // A request body is not used; it is discarded so that the next request can be read.
    request.resume();
    const late = setTimeout(() => socket.destroy(), this.settings.timeout * 1000);
    response.on('close', () => {
      clearTimeout(late);
      this.connections.end(key);
    });
    response.on('error', () => {
      // The connection broke; the scraper will try again.
    });
    this.respond(request, response).catch((error: unknown) => {
      this.troubles.set('page', `cannot answer a request: ${reasonOf(error as Error)}`);
      if (this.complaint.due()) this.log.error(error, 'cannot answer a request');
      say(response, 500, 'the page cannot be rendered; see the log of proxtop');
    });
  }

  private async respond(
    { method, url = '', headers }: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (!(await this.admits(headers.authorization))) {
      response.setHeader('WWW-Authenticate', this.challenge);
      say(response, 401, 'who are you?');
      return;
    }
    const path = url.replace(/\?.*$/s, '');
    if (path !== PATH && path !== '/') {
      say(response, 404, `there is only ${PATH}`);
      return;
    }
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      say(response, 405, 'GET only');
      return;
    }
    if (path === '/') {
      response.setHeader('Content-Type', 'text/html; charset=utf-8').end(INDEX);
      return;
    }
    const format = pageFormat(headers.accept);
    const zipped = acceptsGzip(headers['accept-encoding']);
    const page = await (zipped ? this.pages.compressed(format) : this.pages.plain(format));
    if (page === undefined) {
      say(response, 503, 'there is no sample yet');
      return;
    }
    response.setHeader('Content-Type', contentTypes[format]);
    response.setHeader('Content-Length', page.length);
    response.setHeader('Vary', 'Accept, Accept-Encoding');
    if (zipped) response.setHeader('Content-Encoding', 'gzip');
    response.end(page);
    this.troubles.delete('page');
    this.served++;
  }

  private get challenge(): string {
    return this.settings.credentials.username === undefined
      ? 'Bearer realm="proxtop"'
      : 'Basic realm="proxtop", charset="UTF-8"';
  }
}

/** Answers with a line of text, the last one of this connection. */
function say(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return;
  response
    .writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' })
    .end(`${text}\n`);
}
