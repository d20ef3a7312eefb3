import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Printer } from '../printers/printer.ts';
import type { ObservedOutput } from '../sampling/output-status.ts';
import type { Sample } from '../sampling/sample.ts';
import type { Heir } from './destination.ts';
import { createOutput } from './index.ts';
import type { Output } from './output.ts';
import { PrometheusEndpoint } from './prometheus/endpoint.ts';
import type { OutputSettings, PrintedSettings } from './settings.ts';

/** ms that an output whose place another one took has to deliver what is queued. */
const replacedDeadline = 2000;

interface Member {
  readonly settings: OutputSettings;
  readonly output: Output;
}

/** The outputs that run. Others can take their places without a queued record being lost. */
export class OutputSet {
  /** Always the same array, in the order of the configuration. */
  readonly list: ObservedOutput[] = [];
  private members: readonly Member[] = [];
  /** Those that are no longer written to and have not come to their end. */
  private readonly leaving = new Set<Output>();
  /** Those that were told to close. */
  private readonly closed = new WeakSet<Output>();

  /**
   * @param printerOf makes the printer of an output
   * @param onClosed called when the reader of standard output is gone
   */
  constructor(
    private readonly log: Logger,
    private readonly printerOf: (settings: PrintedSettings) => Printer,
    private readonly onClosed: () => void,
  ) {}

  write(sample: Sample): void {
    for (const { output } of this.members) output.write(sample);
  }

  /** Opens files anew, for logrotate. */
  reopen(): void {
    for (const { output } of this.members) output.reopen();
  }

  /**
   * Makes these the outputs; no sample may be written meanwhile. One whose settings are the same goes on. One that has
   * changed or is gone delivers what is queued, or leaves it to its spool or else to the output of the same name, if
   * that writes the same format.
   *
   * @throws Error with a message for the user when an output cannot be made; then those run that did before
   */
  async replace(wanted: readonly OutputSettings[]): Promise<void> {
    const before = this.members;
    try {
      this.become(await this.make(wanted));
    } catch (error) {
      // One that had to leave its place comes back.
      this.become(await this.make(before.map(({ settings }) => settings)));
      throw error;
    }
    for (const { settings, output } of before) {
      if (this.members.some((member) => member.output === output)) continue;
      const heir = this.members.find((member) => canInherit(member.settings, settings))?.output;
      void this.leave(
        output,
        replacedDeadline,
        heir &&
          ((record) => {
            heir.inherit(record);
          }),
      );
    }
  }

  /** Delivers what is queued, for at most `deadline` ms, spools the rest where there is a spool, and closes. */
  async close(deadline: number): Promise<void> {
    const outputs = [...this.members.map(({ output }) => output), ...this.leaving];
    await Promise.all(outputs.map((output) => output.close(deadline)));
  }

  /** Outputs with these settings: the present ones where they are the same, else new ones. */
  private async make(wanted: readonly OutputSettings[]): Promise<readonly Member[]> {
    const made: Member[] = [];
    const members: Member[] = [];
    try {
      for (const settings of wanted) {
        let member = this.members.find(
          (present) => isDeepStrictEqual(present.settings, settings) && !this.closed.has(present.output),
        );
        if (member === undefined) {
          await this.vacate(settings);
          member = { settings, output: this.create(settings) };
          made.push(member);
        }
        members.push(member);
      }
      return members;
    } catch (error) {
      await Promise.all(made.map(({ output }) => output.close(0)));
      throw error;
    }
  }

  private create(settings: OutputSettings): Output {
    if (settings.type === 'prometheus') return new PrometheusEndpoint(settings, this.log);
    return createOutput(settings, this.printerOf(settings), this.log, this.onClosed);
  }

  /** A spool and an address to listen on have one user: the one before must have left it. */
  private async vacate(settings: OutputSettings): Promise<void> {
    const place = placeOf(settings);
    const holder = this.members.find((member) => placeOf(member.settings) === place);
    if (place !== undefined && holder !== undefined) await this.leave(holder.output, 0);
  }

  /** Closes an output; what is left of it goes to the heir. */
  private async leave(output: Output, deadline: number, heir?: Heir): Promise<void> {
    this.leaving.add(output);
    this.closed.add(output);
    await output.close(deadline, heir);
    this.leaving.delete(output);
  }

  private become(members: readonly Member[]): void {
    this.members = members;
    this.list.splice(0, this.list.length, ...members.map(({ output }) => output));
  }
}

/** What only one output can have: the directory of its spool, or its address. */
function placeOf(settings: OutputSettings): string | undefined {
  if (settings.type === 'prometheus') return `${settings.host} ${settings.port}`;
  return settings.type === 'tcp' || settings.type === 'http' ? settings.spool?.directory : undefined;
}

/** Whether what one output has left is in the format of another one of its name; a table has its columns' own. */
function canInherit(heir: OutputSettings, leaving: OutputSettings): boolean {
  if (heir.type === 'prometheus' || leaving.type === 'prometheus') return false;
  const { name, printer, print } = leaving;
  if (heir.name !== name || heir.printer !== printer) return false;
  return printer !== 'csv' || isDeepStrictEqual(heir.print, print);
}
