import type { Domain } from '../../libvirt/protocol.ts';
import { nameOf } from '../identity.ts';
import type { DomainDirectory, QemuArguments } from '../qemu/qemu-arguments.ts';
import type { QemuProcess } from '../qemu/qemu-finder.ts';

/** What identifies the process of a domain. */
type Known = Pick<Domain, 'name' | 'uuid' | 'id'>;

/**
 * The process of a domain. It is known by the directory of this run of the domain and by its name, which libvirt gives to
 * QEMU; its UUID can be another one, as users may pass arguments of their own. Among several the UUID decides.
 * @param processes those to choose from
 * @returns undefined where there is none, or where several match equally
 */
export function processOf(domain: Known, processes: readonly QemuProcess[]): QemuProcess | undefined {
  const ranked = processes
    .map((process) => ({ process, rank: rankOf(domain, process.args) }))
    .filter(({ rank }) => rank > 0)
    .sort((one, other) => other.rank - one.rank);
  const [first, second] = ranked;
  return first?.rank === second?.rank ? undefined : first?.process;
}

/** Score of a process; 0 if it cannot be that of the domain. */
function rankOf(domain: Known, { domainDirectory, name, uuid }: QemuArguments): number {
  const named = name === nameOf(domain.name);
  // Another domain, or another run of this one; any current libvirt passes a directory.
  const elsewhere = domainDirectory !== undefined && !isDirectoryOf(domain, domainDirectory);
  if (elsewhere || (domainDirectory === undefined && !named)) return 0;
  return (domainDirectory === undefined ? 0 : 4) + (named ? 2 : 0) + (uuid === domain.uuid ? 1 : 0);
}

function isDirectoryOf({ id, name }: Known, directory: DomainDirectory): boolean {
  return directory.id === id && name.startsWith(directory.name);
}
