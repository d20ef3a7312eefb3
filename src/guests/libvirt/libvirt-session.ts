import type { Logger } from 'pino';
import type { Hypervisor } from '../../libvirt/hypervisor.ts';
import { connectHypervisor } from '../../libvirt/hypervisor.ts';
import type { Directories } from '../../libvirt/transport.ts';
import { backoff } from '../../base/pacing/backoff.ts';

/** ms that connecting may take; ssh to a busy host is slow. */
const CONNECT_DEADLINE = 10_000;

/** A connection to libvirt that is made again when it is lost, with back-off. */
export class LibvirtSession {
  /** Undefined while there is no connection. */
  hypervisor: Hypervisor | undefined;
  private connecting: Promise<void> | undefined;
  private readonly closing = new AbortController();
  private failures = 0;
  /** ms of the monotonic clock. */
  private retryAt = -Infinity;
  /** The failure that was logged last, since the last success. */
  private reported: string | undefined;

  /** Why there is no connection; undefined while there is one, or it was not tried yet. */
  get failure(): string | undefined {
    return this.hypervisor === undefined && this.reported !== undefined
      ? `${this.uri}: no connection: ${this.reported}`
      : undefined;
  }

  /**
   * @param callTimeout ms that a call may take
   * @param opened called with each new connection before it is used
   */
  constructor(
    private readonly uri: string,
    private readonly directories: Directories,
    private readonly callTimeout: number,
    private readonly log: Logger,
    private readonly opened: (hypervisor: Hypervisor) => Promise<void> = () => Promise.resolve(),
  ) {}

  /** Connects if there is no connection and it is time to try. Never rejects. */
  ensure(): Promise<void> {
    const time = performance.now();
    if (this.hypervisor !== undefined || this.closing.signal.aborted || time < this.retryAt)
      return Promise.resolve();
    this.connecting ??= this.connect().finally(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  }

  private async connect(): Promise<void> {
    try {
      const signal = AbortSignal.any([this.closing.signal, AbortSignal.timeout(CONNECT_DEADLINE)]);
      const hypervisor = await connectHypervisor(this.uri, this.directories, this.callTimeout, signal);
      hypervisor.on('lost', (reason) => {
        this.lost(hypervisor, reason);
      });
      await this.prepare(hypervisor);
      this.hypervisor = hypervisor;
      this.failures = 0;
      if (this.reported !== undefined) this.log.info(`${this.uri}: connected to libvirt again`);
      this.reported = undefined;
    } catch (error) {
      if (!this.closing.signal.aborted) this.failed(error as Error);
    }
  }

  private async prepare(hypervisor: Hypervisor): Promise<void> {
    try {
      await this.opened(hypervisor);
      this.closing.signal.throwIfAborted();
    } catch (error) {
      hypervisor.close();
      throw error;
    }
  }

  private lost(hypervisor: Hypervisor, reason: Error): void {
    if (this.hypervisor !== hypervisor) return;
    this.hypervisor = undefined;
    this.failed(reason);
  }

  private failed({ message }: Error): void {
    this.retryAt = performance.now() + backoff(this.failures++);
    if (this.reported === message) return;
    this.reported = message;
    this.log.warn(`${this.uri}: no connection to libvirt, its metrics are omitted: ${message}`);
  }

  close(): void {
    this.closing.abort();
    this.hypervisor?.close();
    this.hypervisor = undefined;
  }
}
