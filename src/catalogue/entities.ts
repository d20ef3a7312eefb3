/** One kind of thing that rows are about. */
interface Entity {
  /** What it is a part of; missing where it is at the top of a sample. */
  readonly parent?: string;
  /** The member that holds its rows in JSON; of a part also the name of its list in a sample. */
  readonly member: string;
  /** Noun for it in a sentence. */
  readonly noun: string;
  /** Heading above several of them. */
  readonly heading: string;
  /** Ids of the texts that name it. One that is named by its `device` is a device: its rows come with `--devices`. */
  readonly identity: readonly string[];
  /** What the names of its metrics begin with in Prometheus. */
  readonly group: string;
  /** Labels that identify it in Prometheus, besides those of its parent, with the ids of their texts. */
  readonly labels: readonly (readonly [label: string, id: string])[];
}

const device = { identity: ['device'], labels: [['device', 'device']] } as const;

/**
 * What rows are about: the host, VMs and proxtop itself, and their parts. What walks a sample walks this tree, so that rows
 * for another kind of device need one entry here. The order is that of the catalogue, and of the parts in a sample.
 */
export const entities = {
  vm: {
    member: 'domains',
    noun: 'a VM',
    heading: 'VMs',
    identity: ['UUID', 'name', 'vmid', 'pid', 'guest_type'],
    group: 'vm',
    // The pid is a label only where nothing else distinguishes two VMs.
    labels: [
      ['uuid', 'UUID'],
      ['name', 'name'],
      ['vmid', 'vmid'],
      ['guest_type', 'guest_type'],
    ],
  },
  vm_vcpu: { parent: 'vm', member: 'vcpus', noun: 'a vCPU', heading: 'vCPUs', group: 'vm', ...device },
  vm_disk: {
    parent: 'vm',
    member: 'disks',
    noun: 'a disk of a VM',
    heading: 'Virtual disks',
    group: 'vm',
    ...device,
  },
  vm_nic: {
    parent: 'vm',
    member: 'nics',
    noun: 'a NIC of a VM',
    heading: 'Virtual NICs',
    group: 'vm',
    ...device,
  },
  host: {
    member: 'host',
    noun: 'the host',
    heading: 'Host',
    identity: ['host_name'],
    group: 'host',
    labels: [],
  },
  host_disk: {
    parent: 'host',
    member: 'disks',
    noun: 'a disk of the host',
    heading: 'Disks',
    group: 'host',
    identity: ['device'],
    labels: [
      ['device', 'device'],
      ['type', 'disk_type'],
      ['dmname', 'disk_dmname'],
    ],
  },
  host_pool: {
    parent: 'host',
    member: 'pools',
    noun: 'a ZFS pool of the host',
    heading: 'ZFS pools',
    group: 'host',
    ...device,
  },
  host_cpu: {
    parent: 'host',
    member: 'cpus',
    noun: 'a CPU of the host',
    heading: 'CPUs',
    group: 'host',
    ...device,
  },
  host_numa: {
    parent: 'host',
    member: 'numa',
    noun: 'a NUMA node of the host',
    heading: 'NUMA nodes',
    group: 'host',
    ...device,
  },
  host_nic: {
    parent: 'host',
    member: 'nics',
    noun: 'a NIC of the host',
    heading: 'NICs',
    group: 'host',
    ...device,
  },
  host_sensor: {
    parent: 'host',
    member: 'sensors',
    noun: 'a sensor of the host',
    heading: 'Sensors',
    group: 'host',
    ...device,
  },
  host_zone: {
    parent: 'host',
    member: 'zones',
    noun: 'a power zone of the host',
    heading: 'Power zones',
    group: 'host',
    ...device,
  },
  agent: {
    member: 'agent',
    noun: 'proxtop itself',
    heading: 'proxtop',
    identity: [],
    group: 'agent',
    labels: [],
  },
  agent_output: {
    parent: 'agent',
    member: 'outputs',
    noun: 'an output of proxtop',
    heading: 'Outputs',
    identity: ['name'],
    group: 'output',
    labels: [['output', 'name']],
  },
  agent_verdict: {
    parent: 'agent',
    member: 'verdicts',
    noun: 'a verdict',
    heading: 'Verdicts',
    identity: ['rule', 'subject'],
    group: 'verdict',
    labels: [
      ['rule', 'rule'],
      ['subject', 'subject'],
    ],
  },
  agent_node: {
    parent: 'agent',
    member: 'nodes',
    noun: 'a node that is watched',
    heading: 'Nodes',
    identity: ['name'],
    group: 'node',
    labels: [['node', 'name']],
  },
} as const satisfies Readonly<Record<string, Entity>>;
type Entities = typeof entities;

/** What a row of a sample is about. */
export type Scope = keyof Entities;
/** What is at the top of a sample. */
export type RootScope = { [S in Scope]: Entities[S] extends { readonly parent: string } ? never : S }[Scope];
/** What is a part of R. */
export type PartOf<R extends RootScope> = {
  [S in Scope]: Entities[S] extends { readonly parent: R } ? S : never;
}[Scope];
/** A T for each kind of part of R, by the name of its list. */
export type PartLists<R extends RootScope, T> = {
  readonly [S in PartOf<R> as Entities[S]['member']]: T;
};

/** What is declared of a scope. */
export function entityOf(scope: Scope): Entity {
  return entities[scope];
}

/** Whether rows of a scope are about a device; these are printed only where they are wanted. */
export function isDevice(scope: Scope): boolean {
  return entityOf(scope).identity.includes('device');
}
