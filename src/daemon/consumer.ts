import { fstatSync } from 'node:fs';
import type { Logger } from 'pino';
import { Heartbeat } from '../cluster/ssh/heartbeat.ts';
import type { Collector } from '../collectors/collector.ts';
import type { Attention } from '../guests/attention.ts';
import type { PrintedSettings } from '../delivery/settings.ts';
import { IntervalPrinter } from '../delivery/aggregation/interval-printer.ts';
import { ChangesPrinter } from '../formats/changes/changes-printer.ts';
import { createPrinter } from '../formats/index.ts';
import type { Printer } from '../formats/printer.ts';
import type { Pace } from '../sampling/pace.ts';
import type { Sample } from '../sampling/sample.ts';
import { VerdictRows } from '../verdicts/agent-rows.ts';

/** A watcher of the samples: they are taken even without outputs, with all metrics and rows. */
interface Watcher {
  readonly pace: Pace;
  /** Called between the parts of a cycle, so that pressed keys need not wait for its end. */
  readonly attend: () => void;
  /** Whose monitors are to be asked more often, where no interval is configured. */
  readonly attention: Attention;
  /** Called when sampling begins. @param stop ends it */
  readonly begin: (stop: AbortController) => void;
}

/** Other hosts that are watched beside this one, or in its place. */
export interface OtherNodes {
  /** Whether this host is measured itself. */
  readonly withThisHost: boolean;
  /** Called when sampling begins. @param hand takes each of their samples, and has read it when it returns */
  readonly begin: (hand: (sample: Sample) => void) => void;
  /** Resolves when the first sample need not wait for them any more. */
  readonly ready: (stop: AbortSignal) => Promise<void>;
  /** Resolves when they have told what belongs to the last sample. */
  readonly settled: () => Promise<void>;
}

/** What a program makes of the samples. */
export interface Consumer {
  /** Collectors that run after the measuring ones. */
  readonly collectors: readonly Collector[];
  /**
   * Is shown each sample before the outputs are.
   * @param isWanted whether any output or history gets what this returns
   * @returns what they get
   */
  readonly take: (sample: Sample, isWanted: boolean) => Sample;
  /** Makes the printer of an output. */
  readonly printer: (output: PrintedSettings) => Printer;
  /** Called when sampling begins. @param stop ends it */
  readonly begin?: (stop: AbortController, log: Logger) => void;
  /** Called when the last sample is delivered; never rejects. */
  readonly end: () => Promise<void>;
  readonly watcher?: Watcher;
  readonly others?: OtherNodes;
}

/** Makes the printer of an output: samples go out as they are, or one for each interval. */
export function plainPrinter({ printer, print, interval }: PrintedSettings): Printer {
  const own = createPrinter(printer, print);
  return interval === undefined ? own : new IntervalPrinter(own, interval);
}

/** Samples go out with what is wrong in them. */
export function streaming(): Consumer {
  const rows = new VerdictRows();
  return {
    collectors: [],
    take: (sample) => rows.judged(sample),
    printer: plainPrinter,
    end: () => Promise.resolve(),
  };
}

/** Samples go to a proxtop that watches this host, which asked for them on the command line, until it is gone. */
export function telling(): Consumer {
  const plain = streaming();
  let heartbeat: Heartbeat | undefined;
  return {
    ...plain,
    take: (sample, isWanted) => {
      heartbeat?.sampled();
      return plain.take(sample, isWanted);
    },
    printer: () => new ChangesPrinter(),
    begin: (stop, log) => {
      // What sshd gives. A terminal is that of somebody who tries it out.
      const stat = fstatSync(0);
      if (!stat.isFIFO() && !stat.isSocket()) return;
      heartbeat = new Heartbeat(process.stdin, (why) => {
        log.warn(`the proxtop that watches this host is gone: ${why}`);
        stop.abort();
      });
    },
    end: () => {
      heartbeat?.close();
      return Promise.resolve();
    },
  };
}
