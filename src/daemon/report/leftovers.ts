import type { Logger } from 'pino';
import type { LeftSpool } from '../../cli/status/report.ts';
import { allOutputs } from '../../config/settings.ts';
import type { Settings } from '../../config/settings.ts';
import { formatOf } from '../../delivery/format.ts';
import {
  readable,
  survey,
  type Seen,
  type SpoolDirectory,
  type SpoolPart,
} from '../../delivery/ledger/spool/survey.ts';
import type { OutputSettings } from '../../delivery/settings.ts';

/** ms between two checks: a reload may leave a spool, and a user may have drained or deleted one. */
const period = 10_000;

/**
 * Records on disk that no output delivers: of outputs that were renamed or removed, or whose format changed. They are
 * logged when first seen, and shown by `proxtop status` while they exist.
 */
export class Leftovers {
  list: readonly LeftSpool[] = [];
  private looking: Promise<void> | undefined;
  private readonly seen: Seen = new Map();
  private readonly told = new Set<string>();
  private readonly timer: NodeJS.Timeout;

  /** @param settings what runs; asked for at once and at each look */
  constructor(
    private readonly settings: () => Settings | undefined,
    private readonly log: Logger,
  ) {
    this.timer = setInterval(() => {
      this.look();
    }, period).unref();
    this.look();
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Looks in the background. A disk that hangs must not be asked again and again. */
  private look(): void {
    this.looking ??= this.find().finally(() => (this.looking = undefined));
  }

  private async find(): Promise<void> {
    const settings = this.settings();
    if (settings === undefined) return;
    try {
      const list: LeftSpool[] = [];
      for (const spool of await survey(settings.stateDir, this.seen)) {
        const own = allOutputs(settings).find((output) => spoolOf(output) === spool.directory);
        // A spool in use by another process, or by an output that ends, is not reported.
        if (own === undefined && spool.holder !== undefined) continue;
        const left = spool.parts.filter((part) => own === undefined || !takes(own, part));
        list.push(...left.map((part) => leftOf(spool, part)));
        // An output reports by itself what it does not deliver.
        if (own === undefined) for (const part of left) this.tell(leftOf(spool, part));
      }
      this.list = list;
    } catch (error) {
      this.log.debug(`cannot look for spools of earlier outputs: ${(error as Error).message}`);
    }
  }

  private tell({ directory, records, output, format }: LeftSpool): void {
    const key = `${directory} ${output} ${format}`;
    if (this.told.has(key)) return;
    this.told.add(key);
    this.log.warn(
      `${directory}: ${records} records of output ${output} in format ${format} are kept, but no output delivers ` +
        'them: drain or delete them with "proxtop spool"',
    );
  }
}

/** The directory of an output's spool; undefined for one that has none and looks after none. */
function spoolOf(output: OutputSettings): string | undefined {
  if (output.type !== 'tcp' && output.type !== 'http') return undefined;
  return output.spool?.directory ?? output.leftSpool;
}

/** Whether an output delivers these records of its directory. */
function takes(output: OutputSettings, part: SpoolPart): boolean {
  if (output.type === 'prometheus' || !readable(part) || part.output !== output.name) return false;
  // Segments of 0.1.0 do not say their format: they are taken for the output's own.
  return part.format === undefined || part.format === formatOf(output);
}

function leftOf({ directory }: SpoolDirectory, part: SpoolPart): LeftSpool {
  const { records, bytes, output, version } = part;
  const format = readable(part) ? (part.format ?? 'unknown') : `unknown (version ${version})`;
  return { directory, output, format, records, bytes };
}
