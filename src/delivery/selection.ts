import { glob } from '../base/strings/glob.ts';
import type { GuestIdentity } from '../guests/guest.ts';
import type { CollectorName } from '../catalogue/catalogue.ts';
import type { Printer } from '../formats/printer.ts';
import type { Sample, GuestRows } from '../sampling/sample.ts';

/** Whether a VM is meant. */
type VmPattern = (vm: Pick<GuestIdentity, 'type' | 'name' | 'uuid' | 'vmid' | 'tags'>) => boolean;

/** The part of each sample that an output gets. */
export interface Selection {
  /** Collectors whose values it gets; undefined for all. */
  readonly collectors?: readonly CollectorName[] | undefined;
  /** VMs that match any of these (see {@link vmPattern}); undefined for all. */
  readonly include?: readonly string[] | undefined;
  /** Except those that match any of these. */
  readonly exclude?: readonly string[] | undefined;
}

/** Takes the selected part of a sample. The rows are those of the sample itself, none is copied. */
export class Selector {
  private readonly collectors: readonly CollectorName[] | undefined;
  private readonly include: readonly VmPattern[] | undefined;
  private readonly exclude: readonly VmPattern[];

  constructor({ collectors, include, exclude }: Selection) {
    this.collectors = collectors;
    this.include = include?.map(vmPattern);
    this.exclude = exclude?.map(vmPattern) ?? [];
  }

  part(sample: Sample): Sample {
    const chosen = this.collectors;
    // A verdict also names other guests, so an output with only some guests gets none.
    const isWhole = this.include === undefined && this.exclude.length === 0;
    return {
      ...sample,
      agent: isWhole ? sample.agent : { ...sample.agent, verdicts: [] },
      guests: sample.guests.filter(this.wanted),
      collectors:
        chosen === undefined ? sample.collectors : sample.collectors.filter((name) => chosen.includes(name)),
    };
  }

  private readonly wanted = ({ guest }: GuestRows): boolean =>
    (this.include?.some((means) => means(guest)) ?? true) && !this.exclude.some((means) => means(guest));
}

/** A printer that is shown a part of each sample. */
export class SelectingPrinter implements Printer {
  private readonly selector: Selector;

  constructor(
    private readonly printer: Printer,
    selection: Selection,
  ) {
    this.selector = new Selector(selection);
  }

  print(sample: Sample): readonly Buffer[] {
    return this.printer.print(this.selector.part(sample));
  }

  begin(): void {
    this.printer.begin?.();
  }

  end(): readonly Buffer[] {
    return this.printer.end?.() ?? [];
  }
}

/**
 * Reads what `include` and `exclude` hold: a name in which `*` stands for anything and `?` for one character, a vmid, a
 * UUID, `tag:` and one of the guest's tags (again with `*` and `?`), or `type:` and its guest_type, such as `type:lxc`.
 */
export function vmPattern(text: string): VmPattern {
  const tag = /^tag:(.+)$/.exec(text)?.[1];
  if (tag !== undefined) {
    const matches = glob(tag);
    return ({ tags }) => tags?.split(/[;, ]/).some(matches) ?? false;
  }
  const type = /^type:(.+)$/.exec(text)?.[1];
  if (type !== undefined) return (guest) => guest.type === type;
  const matches = glob(text);
  const uuid = text.toLowerCase();
  return (vm) => vm.vmid === text || vm.uuid === uuid || matches(vm.name);
}
