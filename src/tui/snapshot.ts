import type { Scope } from '../catalogue/define.ts';
import { Row } from '../catalogue/row.ts';
import type { Sample, VmRows } from '../sampling/sample.ts';

/**
 * Copies samples, whose rows belong to the sampler: the view draws when a key is pressed too, in the middle of the next
 * cycle. The copy is overwritten by the next one; its rows are kept.
 */
export class Snapshots {
  private readonly rows = new Map<Scope, Row[]>();
  private readonly used = new Map<Scope, number>();

  copy(sample: Sample): Sample {
    this.used.clear();
    const { host } = sample;
    return {
      ...sample,
      host: { row: this.copyRow(host.row), disks: this.all(host.disks), nics: this.all(host.nics) },
      vms: sample.vms.map((rows) => this.vm(rows)),
      agent: this.copyRow(sample.agent),
      outputs: this.all(sample.outputs),
    };
  }

  private vm({ vm, twin, row, vcpus, disks, nics }: VmRows): VmRows {
    return {
      vm,
      twin,
      row: this.copyRow(row),
      vcpus: this.all(vcpus),
      disks: this.all(disks),
      nics: this.all(nics),
    };
  }

  private all(rows: readonly Row[]): readonly Row[] {
    return rows.map((row) => this.copyRow(row));
  }

  private copyRow({ scope, values, texts }: Row): Row {
    const index = this.used.get(scope) ?? 0;
    this.used.set(scope, index + 1);
    let kept = this.rows.get(scope);
    if (kept === undefined) this.rows.set(scope, (kept = []));
    const row = (kept[index] ??= new Row(scope));
    row.values.set(values);
    for (let slot = 0; slot < texts.length; slot++) row.texts[slot] = texts[slot];
    return row;
  }
}
