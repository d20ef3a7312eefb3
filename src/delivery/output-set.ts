import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Printer } from '../formats/printer.ts';
import type { ObservedOutput } from '../sampling/output-status.ts';
import type { Sample } from '../sampling/sample.ts';
import { formatOf, recordSchema, storeOf } from './format.ts';
import { createOutput } from './index.ts';
import type { Store } from './ledger/store.ts';
import { Stores } from './ledger/stores.ts';
import type { Output } from './output.ts';
import { PrometheusEndpoint } from './prometheus/endpoint.ts';
import type { OutputSettings, PrintedSettings, PrometheusSettings } from './settings.ts';

/** ms that a replaced output has to deliver what it can and to receive confirmations. */
const replacedDeadline = 2000;
/** ms that the outputs have at the end, however long outputs took that were closing already. */
const shortestDeadline = 1000;

interface Member {
  readonly settings: OutputSettings;
  readonly output: Output;
  /** Missing for an endpoint, which has no records. */
  readonly store?: Store;
}

/** The running outputs. They can be replaced without losing a queued record. */
export class OutputSet {
  /** Always the same array, in the order of the configuration. */
  readonly list: ObservedOutput[] = [];
  private members: readonly Member[] = [];
  /** Those that are made for the next change. */
  private making: Member[] = [];
  /** Those that are no longer written to and not closed yet. */
  private readonly leaving = new Map<Member, Promise<void>>();
  private readonly stores: Stores;
  /** Changes are made one after the other. */
  private turn: Promise<unknown> = Promise.resolve();
  private readonly failing = new WeakSet<Output>();
  private readerGone = false;
  private lost = false;

  /**
   * @param printerOf makes the printer of an output
   * @param onClosed called when the reader of standard output is gone
   */
  constructor(
    private readonly log: Logger,
    private readonly printerOf: (settings: PrintedSettings) => Printer,
    private readonly onClosed: () => void,
  ) {
    this.stores = new Stores(log);
  }

  /** After the end: whether standard output did not get all records, though its reader was there. */
  get failed(): boolean {
    return this.lost && !this.readerGone;
  }

  write(sample: Sample): void {
    for (const { output } of this.members) this.writeTo(output, sample);
  }

  /** Reopens files, for logrotate. */
  reopen(): void {
    for (const { output } of this.members) output.reopen();
  }

  /**
   * Replaces the outputs; no sample may be written meanwhile. An output with the same settings continues. One that has
   * changed or is gone stops and gives back what is not known to have arrived. Waiting records go on waiting for an output
   * of that name and format, or are spooled or counted as dropped. It waits for no peer.
   *
   * @throws Error with a message for the user when an output cannot be made; then those run that did before
   */
  replace(wanted: readonly OutputSettings[]): Promise<void> {
    return this.inTurn(async () => {
      const members = await this.make(wanted);
      const before = this.members;
      // The new ones take records from the stores before the old ones are told to end.
      this.become(members);
      for (const member of before) if (!members.includes(member)) this.leave(member);
    });
  }

  /** Delivers what waits, for at most `deadline` ms, spools the rest where there is a spool, and closes. */
  close(deadline: number): Promise<void> {
    return this.inTurn(async () => {
      const began = performance.now();
      await Promise.all(this.leaving.values());
      const left = Math.max(Math.min(shortestDeadline, deadline), deadline - (performance.now() - began));
      await Promise.all(this.members.map(({ output }) => output.close(left)));
      await this.stores.close();
      this.lost = this.members.some(
        ({ settings, output }) => settings.type === 'stdout' && output.status.dropped > 0,
      );
    });
  }

  /** An output that fails must not keep the sample from the others. */
  private writeTo(output: Output, sample: Sample): void {
    try {
      output.write(sample);
      this.failing.delete(output);
    } catch (error) {
      if (!this.failing.has(output)) this.log.error(error, `output ${output.name} failed`);
      this.failing.add(output);
    }
  }

  private inTurn<T>(what: () => Promise<T>): Promise<T> {
    const done = this.turn.then(what);
    this.turn = done.catch(() => undefined);
    return done;
  }

  /** Outputs with these settings: the present ones where they are the same, else new ones that have not begun. */
  private async make(wanted: readonly OutputSettings[]): Promise<readonly Member[]> {
    const same = (settings: OutputSettings): Member | undefined =>
      this.members.find((present) => isDeepStrictEqual(present.settings, settings));
    const missing = wanted.filter((settings) => same(settings) === undefined);
    const made = (this.making = [] as Member[]);
    const vacated: PrometheusSettings[] = [];
    try {
      // First those that do not conflict with the current ones.
      const printed = missing.filter((settings) => settings.type !== 'prometheus');
      await Promise.all(printed.map((settings) => this.add(settings)));
      for (const settings of missing) {
        if (settings.type !== 'prometheus') continue;
        vacated.push(...(await this.vacate(settings)));
        made.push({ settings, output: new PrometheusEndpoint(settings, this.log) });
      }
      return wanted.flatMap(
        (settings) => same(settings) ?? made.find((one) => one.settings === settings) ?? [],
      );
    } catch (error) {
      await Promise.all(made.map(({ output }) => output.close(0)));
      this.comeBack(vacated);
      this.making = [];
      await this.stores.keep(this.stillUsed());
      throw error;
    }
  }

  private async add(settings: PrintedSettings): Promise<void> {
    const { name } = settings;
    const identity = { output: name, format: formatOf(settings), schema: recordSchema };
    const store = this.stores.take(identity, storeOf(settings));
    const output = createOutput(settings, this.printerOf(settings), store, this.log, () => {
      this.readerGone = store.silent = true;
      this.onClosed();
    });
    this.making.push({ settings, output, store });
    await output.ready();
  }

  /** An address to listen on has one user: the endpoint before must have left it. @returns its settings */
  private async vacate({ host, port }: PrometheusSettings): Promise<PrometheusSettings[]> {
    const settings = this.members.flatMap((member) =>
      member.settings.type === 'prometheus' ? member.settings : [],
    );
    const holder = settings.find((one) => one.host === host && one.port === port);
    if (holder === undefined) return [];
    await this.members.find((member) => member.settings === holder)?.output.close(0);
    return [holder];
  }

  /** Endpoints that gave up their addresses in vain. */
  private comeBack(vacated: readonly PrometheusSettings[]): void {
    this.members = this.members.map((member) => {
      const settings = vacated.find((one) => one === member.settings);
      return settings === undefined
        ? member
        : { settings, output: new PrometheusEndpoint(settings, this.log) };
    });
    this.list.splice(0, this.list.length, ...this.members.map(({ output }) => output));
  }

  private become(members: readonly Member[]): void {
    const before = this.members;
    this.members = members;
    this.making = [];
    this.list.splice(0, this.list.length, ...members.map(({ output }) => output));
    for (const { settings, output, store } of members.filter((member) => !before.includes(member))) {
      if (settings.type !== 'prometheus') store?.configure(storeOf(settings));
      output.begin();
    }
  }

  private leave(member: Member): void {
    const left = this.end(member).finally(() => this.leaving.delete(member));
    this.leaving.set(member, left);
  }

  private async end(member: Member): Promise<void> {
    await member.output.close(replacedDeadline);
    this.leaving.delete(member);
    await this.stores.keep(this.stillUsed());
  }

  private stillUsed(): ReadonlySet<Store> {
    const members = [...this.members, ...this.making, ...this.leaving.keys()];
    return new Set(members.flatMap(({ store }) => store ?? []));
  }
}
