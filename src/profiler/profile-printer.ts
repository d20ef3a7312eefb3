import type { GuestIdentity } from '../guests/guest.ts';
import type { Printer } from '../formats/printer.ts';
import type { Sample } from '../sampling/sample.ts';
import type { Profiler } from './profiler.ts';

/**
 * Prints the profiles of the VMs in a sample instead of the sample: a line of JSON for each when they are due, and the
 * last line of one that has gone. The sample may be a part of the one that the profiler took.
 */
export class ProfilePrinter implements Printer {
  private seen = new Set<GuestIdentity>();

  constructor(private readonly profiler: Profiler) {}

  print(sample: Sample): readonly Buffer[] {
    const present = new Set(sample.guests.map(({ guest }) => guest));
    const printed = [...this.seen].filter((vm) => this.profiler.hasEnded(vm));
    this.seen = present;
    if (this.profiler.due) printed.push(...present);
    return printed.flatMap((vm) => this.profiler.line(vm) ?? []);
  }
}
