import type { Vm } from '../guests/connector.ts';
import { catalogue, slots } from '../catalogue/catalogue.ts';
import type { CollectorName } from '../catalogue/catalogue.ts';
import { scopes } from '../catalogue/define.ts';
import type { Scope } from '../catalogue/define.ts';
import { Row } from '../catalogue/row.ts';
import type { Sample, VmRows } from '../sampling/sample.ts';
import { markTwins } from '../sampling/twins.ts';
import { fieldsOf } from './fields.ts';
import type { Field } from './fields.ts';
import type { Fields } from './format.ts';
import { asFields } from './format.ts';

const identity = slots('identity', 'vm');
const { cpu_cores } = slots('cpu', 'vm');

const fields = Object.fromEntries(scopes.map((scope) => [scope, fieldsOf(scope)])) as Record<
  Scope,
  ReadonlyMap<string, Field>
>;

const collectorOrder = [...new Set(catalogue.map(({ collector }) => collector))].filter(
  (name) => name !== '-',
);

/** A VM of a recording, with rows that are kept as long as it is in the samples. */
class RecordedVm implements VmRows {
  twin = false;
  readonly row = new Row('vm');
  readonly vcpus: Row[] = [];
  readonly disks: Row[] = [];
  readonly nics: Row[] = [];
  readonly vm: { -readonly [K in keyof Vm]: Vm[K] };

  constructor(key: string) {
    this.vm = { key, uuid: '', name: '', vcpus: 0, disks: [], nics: [] };
  }
}

/**
 * Makes samples of recorded objects, of the shape in which they were taken. Like there, a sample and its rows are used
 * again for the next one.
 */
export class SampleBuilder {
  private readonly host = { row: new Row('host'), disks: [] as Row[], nics: [] as Row[] };
  private readonly agent = new Row('agent');
  private readonly outputs: Row[] = [];
  private vms = new Map<string, RecordedVm>();
  private readonly ran = new Set<CollectorName>();
  private collectors: readonly CollectorName[] = [];
  /** Of the sample that is being made, in seconds; NaN where not known. */
  private interval = NaN;

  /**
   * @param objects one whole sample, or its rows one by one
   * @returns undefined for objects that are no sample
   */
  build(objects: readonly Fields[]): Sample | undefined {
    const cycle = 'type' in (objects[0] ?? {}) ? assembled(objects) : objects[0];
    if (!Array.isArray(cycle?.['domains'])) return undefined;
    const { '@timestamp': timestamp, run, seq, interval } = cycle;
    this.interval = typeof interval === 'number' && interval > 0 && interval < Infinity ? interval : NaN;
    const host = asFields(cycle['host']) ?? {};
    const agent = asFields(cycle['agent']) ?? {};
    this.fill(this.host.row, host);
    this.fillAll(this.host.disks, 'host_disk', host['disks']);
    this.fillAll(this.host.nics, 'host_nic', host['nics']);
    const vms = this.fillVms(listOf(cycle['domains']));
    this.fill(this.agent, agent);
    this.fillAll(this.outputs, 'agent_output', agent['outputs']);
    if (this.ran.size > this.collectors.length)
      this.collectors = collectorOrder.filter((name) => this.ran.has(name));
    return {
      time: Date.parse(String(timestamp)),
      run: String(run),
      seq: Number(seq),
      interval: this.interval,
      host: this.host,
      vms,
      agent: this.agent,
      outputs: this.outputs,
      collectors: this.collectors,
      runs: [],
    };
  }

  private fillVms(domains: readonly Fields[]): VmRows[] {
    const vms = new Map<string, RecordedVm>();
    for (const domain of domains) {
      let key = keyOf(domain);
      // Two of which the recording tells no more.
      while (vms.has(key)) key += ' ';
      const vm = this.vms.get(key) ?? new RecordedVm(key);
      vms.set(key, vm);
      this.fill(vm.row, domain);
      this.fillAll(vm.vcpus, 'vm_vcpu', domain['vcpus']);
      this.fillAll(vm.disks, 'vm_disk', domain['disks']);
      this.fillAll(vm.nics, 'vm_nic', domain['nics']);
      describe(vm);
    }
    if ([...vms.keys()].some((key) => !this.vms.has(key))) markTwins([...vms.values()]);
    this.vms = vms;
    return [...vms.values()];
  }

  private fillAll(rows: Row[], scope: Scope, list: unknown): void {
    const objects = listOf(list);
    rows.length = Math.min(rows.length, objects.length);
    for (const [index, object] of objects.entries()) this.fill((rows[index] ??= new Row(scope)), object);
  }

  /** Sets what an object tells. What the catalogue does not know, or has as another type, is passed over. */
  private fill(row: Row, object: Fields): void {
    row.clear();
    const known = fields[row.scope];
    for (const [name, value] of Object.entries(object)) {
      const field = known.get(name);
      if (field === undefined || (field.text ? typeof value !== 'string' : !Number.isFinite(value))) continue;
      const { slot, restore, collector } = field;
      if (typeof value === 'string') row.texts[slot] = value;
      else if (typeof value === 'number')
        row.values[slot] = restore === undefined ? value : restore(value, this.interval);
      if (collector !== undefined) this.ran.add(collector);
    }
  }
}

/** Tells of a VM what its row does. */
function describe({ vm, row: { texts, values } }: RecordedVm): void {
  vm.uuid = texts[identity.UUID] ?? '';
  vm.name = texts[identity.name] ?? '';
  vm.vmid = texts[identity.vmid];
  vm.tags = texts[identity.tags];
  vm.lock = texts[identity.lock];
  vm.state = texts[identity.state];
  vm.vcpus = values[cpu_cores] || 0;
}

function keyOf({ UUID, pid }: Fields): string {
  return [UUID, pid].filter((part) => typeof part === 'string').join(' ');
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(asFields).filter((item) => item !== undefined) : [];
}

/** A VM with its devices. */
type Domain = Fields & Record<'vcpus' | 'disks' | 'nics', Fields[]>;

/** Puts the rows of one sample together to what one object tells as a whole. */
function assembled(rows: readonly Fields[]): Fields {
  const list: Record<'host_disk' | 'host_nic' | 'agent_output', Fields[]> = {
    host_disk: [],
    host_nic: [],
    agent_output: [],
  };
  const domains: Domain[] = [];
  // What came before the pid was told with devices is found by the UUID alone.
  const owners = new Map<unknown, Domain>();
  let host: Fields = {};
  let agent: Fields = {};
  for (const row of rows) {
    const domain = owners.get(keyOf(row)) ?? owners.get(row['UUID']);
    switch (row['type']) {
      case 'host':
        host = row;
        break;
      case 'agent':
        agent = row;
        break;
      case 'host_disk':
      case 'host_nic':
      case 'agent_output':
        list[row['type']].push(row);
        break;
      case 'vm':
        domains.push({ ...row, vcpus: [], disks: [], nics: [] });
        for (const key of [keyOf(row), row['UUID']]) owners.set(key, domains.at(-1) as Domain);
        break;
      case 'vm_vcpu':
        domain?.vcpus.push(row);
        break;
      case 'vm_disk':
        domain?.disks.push(row);
        break;
      case 'vm_nic':
        domain?.nics.push(row);
        break;
    }
  }
  return {
    ...rows[0],
    host: { ...host, disks: list.host_disk, nics: list.host_nic },
    domains,
    agent: { ...agent, outputs: list.agent_output },
  };
}
