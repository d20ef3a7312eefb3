/** A QMP command that only asks, with the reading of its reply. V is what is made of the reply. */
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

/** What QEMU said to one query: a value or an error. */
export interface QmpAnswer<V> {
  readonly value?: V;
  readonly error?: CommandError;
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
  /** The text of all commands, split where the tag of the visit goes. */
  private readonly parts: readonly string[];

  constructor(readonly queries: Q) {
    this.commands = [negotiate, ...queries];
    const lines = this.commands.map(
      (command, index) =>
        `{"execute":${JSON.stringify(command.execute)},` +
        (command.arguments === undefined ? '' : `"arguments":${JSON.stringify(command.arguments)},`) +
        `"id":"\0${index}"}\n`,
    );
    this.parts = lines.join('').split('\0');
  }

  /** The text to send; the id of each command is the tag followed by its index in {@link commands}. */
  render(tag: string): string {
    return this.parts.join(tag);
  }
}
