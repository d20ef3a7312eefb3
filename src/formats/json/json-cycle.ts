import type { Row } from '../../catalogue/row.ts';
import type { HostRows, Sample, VmRows } from '../../sampling/sample.ts';
import { ByteWriter } from '../byte-writer.ts';
import { PerCollectors, printedColumns } from '../columns.ts';
import { closeObject, jsonRows, quote, writeSampleMembers } from './json.ts';
import type { JsonRow, JsonRows } from './json.ts';
import type { Printer, PrinterSettings } from '../printer.ts';
import { TextCache } from '../text-cache.ts';

const COMMA = 0x2c;

const parts = {
  host: Buffer.from(',"host":'),
  domains: Buffer.from(',"domains":['),
  vcpus: Buffer.from(',"vcpus":['),
  disks: Buffer.from(',"disks":['),
  nics: Buffer.from(',"nics":['),
  endOfArray: Buffer.from(']'),
  agent: Buffer.from(',"agent":'),
  outputs: Buffer.from(',"outputs":['),
  endOfLine: Buffer.from('\n'),
};

/**
 * One line a sample: a JSON object with the host (and its disks and NICs), the VMs as `domains` (and their vCPUs,
 * disks and NICs) and the agent with its outputs; no agent under the original's names, which had none.
 */
export class JsonCyclePrinter implements Printer {
  private readonly out = new ByteWriter();
  private readonly quoted = new TextCache(quote);
  private readonly devices: boolean;
  private readonly rows: PerCollectors<JsonRows>;

  constructor(settings: PrinterSettings) {
    this.devices = settings.devices;
    this.rows = new PerCollectors((collectors) =>
      jsonRows((scope) => printedColumns(scope, settings, collectors), this.quoted),
    );
  }

  print(sample: Sample): readonly Buffer[] {
    const out = this.out;
    const rows = this.rows.get(sample.collectors);
    writeSampleMembers(out, sample, this.quoted);
    out.append(parts.host);
    this.host(rows, sample.host, sample.interval);
    out.append(parts.domains);
    let first = true;
    for (const vm of sample.vms) {
      if (!first) out.byte(COMMA);
      first = false;
      this.vm(rows, vm, sample.interval);
    }
    out.append(parts.endOfArray);
    if (!rows.agent.empty) {
      out.append(parts.agent);
      this.agent(rows, sample);
    }
    closeObject(out, 0);
    out.append(parts.endOfLine);
    return [out.take()];
  }

  private host(rows: JsonRows, { row, disks, nics }: HostRows, interval: number): void {
    const begin = this.out.length;
    rows.host.write(this.out, row, interval);
    if (this.devices) {
      this.array(parts.disks, rows.host_disk, disks, interval);
      this.array(parts.nics, rows.host_nic, nics, interval);
    }
    closeObject(this.out, begin);
  }

  private vm(rows: JsonRows, { row, vcpus, disks, nics }: VmRows, interval: number): void {
    const begin = this.out.length;
    rows.vm.write(this.out, row, interval);
    if (this.devices) {
      this.array(parts.vcpus, rows.vm_vcpu, vcpus, interval);
      this.array(parts.disks, rows.vm_disk, disks, interval);
      this.array(parts.nics, rows.vm_nic, nics, interval);
    }
    closeObject(this.out, begin);
  }

  private agent(rows: JsonRows, { agent, outputs, interval }: Sample): void {
    const begin = this.out.length;
    rows.agent.write(this.out, agent, interval);
    this.array(parts.outputs, rows.agent_output, outputs, interval);
    closeObject(this.out, begin);
  }

  private array(key: Buffer, writer: JsonRow, rows: readonly Row[], interval: number): void {
    this.out.append(key);
    let first = true;
    for (const row of rows) {
      if (!first) this.out.byte(COMMA);
      first = false;
      this.object(writer, row, interval);
    }
    this.out.append(parts.endOfArray);
  }

  private object(writer: JsonRow, row: Row, interval: number): void {
    const begin = this.out.length;
    writer.write(this.out, row, interval);
    closeObject(this.out, begin);
  }
}
