import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import type { Server } from 'node:net';
import { connect, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Lab, missingForLab } from '../lab/lab.ts';
import type { LabVm } from '../lab/vm.ts';
import { vmConfig } from '../lab/vm-config.ts';
import type { Row } from './program.ts';
import { Stream, domain, num } from './program.ts';

const missing = missingForLab();
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
const MIB = 2 ** 20;
const FAST = ['--frequency=0.4', '--detail-interval=0.4', '--mem', '--verbose'];

/**
 * Stands between a real QEMU and proxtop, and adds to the reply of query-balloon what Proxmox VE's QEMU tells there: that
 * one cannot be had here, and no guest with a balloon driver either.
 */
class Balloon {
  /** Members of the reply; `age` seconds stand for last_update. */
  report: { readonly age: number; readonly total: number; readonly free: number } | undefined;
  private readonly server: Server;

  constructor(path: string, memory: number) {
    renameSync(path, `${path}.real`);
    this.server = createServer((client) => {
      const qemu = connect(`${path}.real`);
      let text = '';
      qemu.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const end = text.lastIndexOf('\n') + 1;
        client.write(
          text.slice(0, end).replace(/"actual": *\d+/, (actual) => `${actual}, ${this.members(memory)}`),
        );
        text = text.slice(end);
      });
      client.on('data', (chunk) => qemu.write(chunk));
      client.on('close', () => qemu.destroy());
      qemu.on('close', () => client.destroy());
      for (const socket of [client, qemu]) socket.on('error', () => undefined);
    }).listen(path);
  }

  private members(memory: number): string {
    const { report } = this;
    const members = { max_mem: memory } as Record<string, number>;
    if (report !== undefined) {
      members['last_update'] = Math.floor(Date.now() / 1000) - report.age;
      members['total_mem'] = report.total;
      members['free_mem'] = report.free;
    }
    return JSON.stringify(members).slice(1, -1);
  }

  close(): void {
    this.server.close();
  }
}

describe('a VM of Proxmox VE', { skip, timeout: 300_000 }, () => {
  let lab: Lab;
  let vm: LabVm;
  let balloon: Balloon;
  let stream: Stream;

  before(async () => {
    lab = Lab.create();
    vm = await lab.run({ memory: 64, name: 'web' });
    balloon = new Balloon(vm.qmpSocket, 64 * MIB);
    stream = Stream.start([...lab.flags(), ...FAST]);
  });
  after(async () => {
    const { code, stderr } = await stream.stop();
    balloon.close();
    await lab.close();
    assert.equal(code, 0, stderr);
  });

  const shown = async (what: string, wanted: (row: Row) => boolean): Promise<Row> => {
    const cycle = await stream.next(what, (each) => {
      const row = domain(each, vm);
      return row !== undefined && wanted(row);
    });
    return domain(cycle, vm) as Row;
  };

  test('what its guest reports is shown with its age, and omitted when it is old or impossible', async () => {
    balloon.report = { age: 3, total: 60 * MIB, free: 20 * MIB };
    const fresh = await shown('a report', (row) => row['ram_used'] !== undefined);
    assert.equal(num(fresh, 'ram_total'), 60 * MIB);
    assert.equal(num(fresh, 'ram_used'), 40 * MIB);
    const age = num(fresh, 'ram_guest_age');
    assert.ok(age >= 3 && age < 30, String(age));

    balloon.report = { ...balloon.report, age: 777_600 };
    const old = await shown('an old report', (row) => Number(row['ram_guest_age']) > 1000);
    assert.ok(num(old, 'ram_guest_age') >= 777_600);
    for (const id of ['ram_used', 'ram_free', 'ram_active']) assert.equal(old[id], undefined, id);
    assert.equal(num(old, 'ram_total'), 64 * MIB);
    assert.equal(num(old, 'ram_actual'), 64 * MIB);

    balloon.report = { age: 0, total: 60 * MIB, free: 61 * MIB };
    const wrong = await shown('an impossible report', (row) => Number(row['ram_guest_age']) < 30);
    for (const id of ['ram_used', 'ram_free', 'ram_active']) assert.equal(wrong[id], undefined, id);
    assert.equal(num(wrong, 'ram_total'), 64 * MIB);
  });

  test('its name is that of the configuration, VM and its number without one, that of its start while none is known', async () => {
    assert.equal((await shown('a name', () => true))['name'], 'web');
    lab.pve.write(vm.vmid, vmConfig(vm).replace(/^name: .*\n/m, ''));
    await shown('no name any more', (row) => row['name'] === `VM ${vm.vmid}`);
    lab.pve.remove(vm.vmid);
    await shown('no configuration', (row) => row['name'] === 'web');
    lab.writeConfig(vm, { name: 'renamed' });
    await shown('another name', (row) => row['name'] === 'renamed');
  });

  test('one that was never named is called as Proxmox VE does from the start', async () => {
    const unnamed = lab.define({});
    lab.pve.remove(unnamed.vmid);
    await lab.start(unnamed);
    assert.equal(unnamed.name, `vm${unnamed.vmid}`, 'QEMU is given this');
    const cycle = await stream.next('it', (each) => domain(each, unnamed) !== undefined);
    assert.equal(domain(cycle, unnamed)?.['name'], `VM ${unnamed.vmid}`);
  });
});
