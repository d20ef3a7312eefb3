/**
 * A QMP command and the parser of its reply, which yields a V. All commands only query, except that of
 * latency-histogram.ts, which is sent only if the user wants it.
 */
export interface QmpQuery<V> {
  readonly execute: string;
  readonly arguments?: object;
  /** Entries that a reply which is a list may have; without limit where missing. */
  readonly most?: number;
  /** Reads the value of `return`. One of another shape than expected yields less; it never throws. */
  readonly read: (reply: unknown) => V;
}

/** QEMU's refusal of one command, such as class DeviceNotActive where there is no balloon. */
export interface CommandError {
  readonly class: string;
  readonly desc: string;
}

/** What QEMU said to one query: a value or an error. Both members are always there, so that all answers have one shape. */
export interface QmpAnswer<V> {
  readonly value: V | undefined;
  readonly error: CommandError | undefined;
}

type Queries = readonly QmpQuery<unknown>[];

/** The answers to queries Q, in their order. */
export type Answers<Q extends Queries> = {
  readonly [I in keyof Q]: Q[I] extends QmpQuery<infer V> ? QmpAnswer<V> : never;
};

const negotiate: QmpQuery<undefined> = { execute: 'qmp_capabilities', read: () => undefined };

/** Queries that are asked together in one visit; made once and used for every VM. */
export class PreparedQueries<const Q extends Queries = Queries> {
  /** The capabilities negotiation, which QEMU demands first, then the queries. */
  readonly commands: Queries;
  /** The text of the negotiation, and of the queries up to the id of the last one. */
  private readonly negotiation: string;
  private readonly text: string;

  constructor(readonly queries: Q) {
    this.commands = [negotiate, ...queries];
    const texts = this.commands.map(({ execute, arguments: values }) =>
      JSON.stringify({ execute, ...(values !== undefined && { arguments: values }) }),
    );
    this.negotiation = texts[0] ?? '';
    this.text = texts.slice(1).join('').slice(0, -1);
  }

  /**
   * The text to send, as short as can be: QEMU reads it byte by byte, at 2.5 to 3 us of its CPU each. JSON needs nothing
   * between two objects, and as answers come in the order of the commands only the last command has an id.
   * @param isNegotiated whether that was done on this connection before
   */
  render(id: string, isNegotiated = false): string {
    return `${isNegotiated ? '' : this.negotiation}${this.text},"id":"${id}"}`;
  }
}
