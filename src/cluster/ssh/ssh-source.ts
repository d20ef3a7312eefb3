import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { backoff } from '../../base/pacing/backoff.ts';
import { slots } from '../../catalogue/catalogue.ts';
import { ChangedSamples } from '../../recording/changes/changed-samples.ts';
import type { Unreadable } from '../../recording/changes/changed-samples.ts';
import type { Fields } from '../../recording/format.ts';
import { ClockOffset } from '../clock-offset.ts';
import type { Arrival, NodeAddress, NodeName, NodeSource, NodeState, NodeTrouble } from '../node-source.ts';
import { BEAT, BEAT_INTERVAL } from './heartbeat.ts';
import { RecordStream, StreamError } from './record-stream.ts';
import { sshArguments } from './ssh-command.ts';
import { causeOf } from './ssh-trouble.ts';
import type { Cause } from './ssh-trouble.ts';

const { host_name } = slots('host', 'host');

/** ms until the first sample: ssh connects, proxtop starts and waits for a whole second. */
const FIRST_SAMPLE = 20_000;
/** ms more that a first sample may take: a node short of CPU starts proxtop slowly, and would do so again. */
const SLOW_START = 40_000;
/** ms without a sample, or of lateness, that are told. */
const TOLD = 4000;
/** ms after which the connection is given up, for a new one may do better. */
const GIVEN_UP = 15_000;
/**
 * ms of lateness after which a new connection is made in any case: it has no backlog. Where the node stood still, as a machine that is
 * paused, its samples seem late for as long as the connection lasts.
 */
const LATE = 60_000;
/** ms of samples after which a connection counts as a good one: the next attempt is made at once. */
const GOOD = 30_000;
/** ms that ssh has to end by itself. */
const GRACE = 2000;
const TOO_SLOW = 'the link is too slow';
const PART: Cause = { kind: 'slow', text: `${TOO_SLOW}: of the next sample only a part has come` };
/** Characters of what ssh and proxtop say on standard error that are kept, the last ones. */
const LONGEST_WORDS = 4096;

type Ssh = ChildProcessWithoutNullStreams;

/** One connection: ssh, and what came through it. */
interface Connection {
  readonly ssh: Ssh;
  readonly clock: ClockOffset;
  readonly stream: RecordStream;
  /** Monotonic ms of the first sample. */
  firstAt: number | undefined;
  /** Monotonic ms of the last beat. */
  beatAt: number;
  /** Why we end it, where it is us. */
  cause: Cause | undefined;
}

/**
 * The samples of a node that proxtop takes there and that come over ssh. A failed connection is made again with back-off.
 * The remote proxtop ends with the connection, because its standard input and output are closed, or where it is not told of that because
 * it gets no beats: one goes there at the beginning, and then every few seconds as an answer to what comes.
 */
export class SshSource implements NodeSource {
  onNews: (() => void) | undefined;
  private readonly samples = new ChangedSamples();
  private arrival: Arrival | undefined;
  private current: NodeState = { kind: 'connecting' };
  private connection: Connection | undefined;
  /** Fires when nothing came for too long, or when the next attempt is due. */
  private timer: NodeJS.Timeout | undefined;
  private failures = 0;
  private closed = false;

  constructor(private readonly address: NodeAddress) {
    this.connect();
  }

  get name(): NodeName {
    return this.address.name;
  }

  latest(): Arrival | undefined {
    return this.arrival;
  }

  state(): NodeState {
    return this.current;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.onNews = undefined;
    clearTimeout(this.timer);
    const ssh = this.connection?.ssh;
    if (ssh === undefined || ssh.exitCode !== null || ssh.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      ssh.once('close', resolve);
      end(ssh);
    });
  }

  private connect(): void {
    if (this.current.kind === 'trouble') this.troubled(this.current.trouble, undefined);
    const ssh = spawn('ssh', sshArguments(this.address), { stdio: 'pipe' });
    const connection: Connection = {
      ssh,
      clock: new ClockOffset(),
      stream: new RecordStream((fields) => {
        this.take(fields, connection);
      }),
      firstAt: undefined,
      beatAt: -Infinity,
      cause: undefined,
    };
    this.connection = connection;
    this.wait(FIRST_SAMPLE, () => {
      this.silent(connection, 'no sample came', SLOW_START);
    });
    // It has none where there are no descriptors left, which is told as an error.
    const { stdin, stdout, stderr } = ssh as Partial<Ssh>;
    // It ends when it likes, and that is told by its end.
    stdin?.on('error', () => undefined);
    beat(connection, performance.now());
    let words = '';
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-LONGEST_WORDS);
    });
    stdout?.on('data', (piece: Buffer) => {
      this.read(piece, connection);
    });
    ssh.on('error', (error) => {
      connection.cause ??= { kind: 'no-ssh', text: `ssh cannot be started: ${error.message}` };
      // One that was started closes when it has ended.
      if (ssh.pid === undefined) this.ended(connection, connection.cause);
    });
    ssh.on('close', (code, signal) => {
      if (ssh.pid !== undefined) this.ended(connection, connection.cause ?? causeOf({ code, signal, words }));
    });
  }

  private read(piece: Buffer, connection: Connection): void {
    if (connection.cause !== undefined || this.closed) return;
    const now = performance.now();
    if (now - connection.beatAt >= BEAT_INTERVAL) beat(connection, now);
    try {
      connection.stream.push(piece, now);
      if (connection.firstAt !== undefined && connection.stream.hasPart) this.partCame();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.giveUp(connection, { kind: error.kind, text: error.message });
    }
  }

  private take(fields: Fields, connection: Connection): void {
    if (connection.cause !== undefined) return;
    const sample = this.samples.read(fields);
    if (typeof sample === 'string') {
      this.arrival = undefined;
      throw unreadable(sample);
    }
    // In a container proxtop may not learn the name of the host; streams and recordings tell nodes apart by it.
    sample.host.row.texts[host_name] ??= this.name;
    const { clock } = connection;
    const at = performance.now();
    const isNext = this.arrival?.sample.seq === sample.seq - 1;
    clock.add(sample.time, isNext ? sample.interval : NaN, Date.now(), at);
    connection.firstAt ??= at;
    if (at - connection.firstAt > GOOD) this.failures = 0;
    this.arrival = { sample, at, lateness: clock.lateness, clockOffset: clock.offset };
    this.wait(TOLD, () => {
      this.silent(connection, 'no sample comes any more', GIVEN_UP - TOLD);
    });
    if (clock.lateness < TOLD) this.current = { kind: 'streaming' };
    else this.late(clock.lateness, connection);
    this.onNews?.();
  }

  /** Reports samples that come late. @param lateness ms */
  private late(lateness: number, connection: Connection): void {
    const cause: Cause = {
      kind: 'slow',
      text: `samples come ${Math.round(lateness / 1000)} s late: the link is too slow, or the node stood still`,
    };
    const { since } = this.troubled(cause, undefined);
    if (lateness > GIVEN_UP || performance.now() - since > LATE) this.giveUp(connection, cause);
  }

  /** Reports silence, and waits whether a sample comes. @param patience ms until the connection is given up */
  private silent(connection: Connection, text: string, patience: number): void {
    const cause = (): Cause => (connection.stream.hasPart ? PART : { kind: 'silent', text });
    this.troubled(cause(), performance.now() + patience);
    this.wait(patience, () => {
      this.giveUp(connection, cause());
    });
    this.onNews?.();
  }

  /**
   * A node that was told to be silent, and of which a part of a sample comes then, is not: its link is slow. The first sample of a
   * connection always comes in parts.
   */
  private partCame(): void {
    const { current } = this;
    if (current.kind !== 'trouble' || current.trouble.kind !== 'silent') return;
    this.troubled(PART, current.trouble.retryAt);
    this.onNews?.();
  }

  /** Ends a connection; when that is done, {@link ended} goes on. */
  private giveUp(connection: Connection, cause: Cause): void {
    clearTimeout(this.timer);
    connection.cause = cause;
    // A hung remote process keeps the connection open, and its output is not wanted.
    connection.ssh.stdout.destroy();
    connection.ssh.stderr.destroy();
    end(connection.ssh);
  }

  private ended(connection: Connection, cause: Cause): void {
    clearTimeout(this.timer);
    if (this.closed || this.connection !== connection) return;
    this.connection = undefined;
    const pause = backoff(this.failures++);
    this.troubled(cause, performance.now() + pause);
    this.wait(pause, () => {
      this.connect();
      this.onNews?.();
    });
    this.onNews?.();
  }

  /** One that is of the kind of the last one began when that did. */
  private troubled({ kind, text }: Cause, retryAt: number | undefined): NodeTrouble {
    const { current } = this;
    const since =
      current.kind === 'trouble' && current.trouble.kind === kind ? current.trouble.since : performance.now();
    const trouble: NodeTrouble = { kind, text, since, retryAt };
    this.current = { kind: 'trouble', trouble };
    return trouble;
  }

  private wait(pause: number, then: () => void): void {
    clearTimeout(this.timer);
    if (!this.closed) this.timer = setTimeout(then, pause);
  }
}

function unreadable(why: Unreadable): StreamError {
  return why === 'gap'
    ? new StreamError('slow', 'the link is too slow: samples were lost')
    : new StreamError('garbled', 'found data that is no sample of proxtop, or too large for one');
}

/** Tells the node that it is watched; one that still waits to be taken says the same. */
function beat(connection: Connection, now: number): void {
  connection.beatAt = now;
  const { stdin } = connection.ssh as Partial<Ssh>;
  if (stdin?.writable === true && stdin.writableLength === 0) stdin.write(BEAT);
}

/** Ends ssh, which closes the connection and with it what runs there. */
function end(ssh: Ssh): void {
  if (ssh.pid === undefined || ssh.exitCode !== null) return;
  ssh.kill();
  const kill = setTimeout(() => ssh.kill('SIGKILL'), GRACE);
  ssh.once('exit', () => {
    clearTimeout(kill);
  });
}
