// Lines of the history read by what is wanted of them: the same values as all of a sample has, and nothing thrown whatever a line holds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columns } from '../../src/catalogue/catalogue.ts';
import { peaksOf } from '../../src/catalogue/peaks.ts';
import { createPrinter } from '../../src/formats/index.ts';
import { LineReader } from '../../src/history/line-reader.ts';
import { formatThatBegins } from '../../src/recording/format.ts';
import type { Fields } from '../../src/recording/format.ts';
import { SampleBuilder } from '../../src/recording/sample-builder.ts';
import type { GuestRows, Sample } from '../../src/sampling/sample.ts';
import { row, sampleOf, settings, vmRows } from '../formats/sample.ts';

const wantedIds = ['cpu_total', 'cpu_total_peak', 'cpu_steal', 'ram_used', 'net_rx_mbit'];
const wanted = { host: new Set(['cpu_user', 'ram_available']), vm: new Set(wantedIds) };

/** Names with everything that ends something in JSON, and what looks like the end of rows. */
const names = ['db', 'a"b\\c', '}],"vcpus":[', '}]}],"agent":{', 'ümlaut \u2028 \u{1F600}', '\\', ']', ''];

function line(names: readonly string[], device = 'scsi0'): Buffer {
  const guests = names.map((name, index) =>
    vmRows(
      row('vm', {
        UUID: `u${index}`,
        name,
        vmid: String(100 + index),
        pid: String(index),
        cpu_total: 12.34 + index,
        cpu_steal: 0,
        ram_used: 2 ** 40 + index,
        net_rx_mbit: 1e-9,
      }),
      {
        vcpus: [
          row('vm_vcpu', { device: '0', cpu_total: 77 }),
          row('vm_vcpu', { device: '1', cpu_total: 78 }),
        ],
        disks: index % 2 === 0 ? [row('vm_disk', { device, disk_reads: 5 })] : [],
      },
    ),
  );
  const verdict = row('agent_verdict', {
    rule: 'hung',
    subject: 'x',
    state: 'holds',
    class: 1,
    age: 4,
    text: '}]',
  });
  const [bytes] = createPrinter('json', settings).print(
    sampleOf({
      guests,
      host: { row: row('host', { host_name: 'pve"1', cpu_user: 3.5, ram_available: 7 }) },
      agent: { verdicts: [verdict] },
    }),
  );
  return Buffer.from(bytes ?? '').subarray(0, -1);
}

function device(scope: 'vm_vcpu' | 'vm_disk'): number {
  return columns(scope).find(({ id }) => id === 'device')?.slot ?? NaN;
}

function valuesOf(values: Float64Array, ids: readonly string[]): readonly (number | undefined)[] {
  return columns('vm_vcpu').flatMap(({ id, slot }) => (ids.includes(id) ? [values[slot]] : []));
}

function told({ host, guests, agent, time, run, seq, interval }: Sample): unknown {
  const ofVm = [...columns('vm'), ...peaksOf('vm')].filter(({ id }) => wantedIds.includes(id));
  const ofHost = columns('host').filter(({ id }) => wanted.host.has(id) || id === 'host_name');
  return {
    time,
    run,
    seq,
    interval,
    host: ofHost.map(({ slot }) => [host.row.values[slot], host.row.texts[slot]]),
    guests: guests.map(({ guest: { uuid, name, vmid, type }, row: { values } }) => [
      uuid,
      name,
      vmid,
      type,
      ...ofVm.map(({ slot }) => values[slot]),
    ]),
    verdicts: agent.verdicts.map(({ values, texts }) => [[...values.subarray(0, texts.length)], [...texts]]),
  };
}

test('the wanted metrics are read as in a whole sample', () => {
  const reader = new LineReader(wanted);
  for (const device of ['scsi0', '}],"nics":[', '}]},{"UUID":"']) {
    for (const some of [names, names.slice(0, 1), [], [...names].reverse()]) {
      const bytes = line(some, device);
      const fields = formatThatBegins(0x7b)?.decode(bytes);
      const whole = fields && new SampleBuilder(true).build([fields]);
      const read = reader.read(bytes);
      assert.ok(whole !== undefined && read !== undefined);
      assert.deepEqual(told(read), told(whole));
    }
  }
});

test('parts of guests are read where they are wanted, and twins are told apart as in all of a sample', () => {
  const ids = { vm_vcpu: new Set(['cpu_total', 'cpu_total_peak']), vm_disk: new Set(['disk_reads']) };
  const reader = new LineReader(ids);
  const builder = new SampleBuilder(true);
  const guest = (UUID: string, pid: string, vcpus: number, tags?: string): GuestRows =>
    vmRows(row('vm', { UUID, pid, name: `n${pid}`, ...(tags !== undefined && { tags }) }), {
      vcpus: Array.from({ length: vcpus }, (_, index) =>
        row('vm_vcpu', { device: String(index), cpu_total: vcpus * 10 + index }),
      ),
      disks: [row('vm_disk', { device: 'a"b', disk_reads: 5 })],
      nics: [row('vm_nic', { device: 'net0' })],
    });
  const toldOf = ({ guests }: Sample): unknown =>
    guests.map(({ guest, twin, vcpus, disks }) => [
      { ...guest, lock: undefined, state: undefined },
      twin,
      vcpus.map(({ texts, values }) => [texts[device('vm_vcpu')], ...valuesOf(values, ['cpu_total'])]),
      disks.map(({ texts }) => texts[device('vm_disk')]),
    ]);
  const moments = [
    [guest('u1', '1', 2), guest('u2', '2', 1, 'web')],
    [guest('u2', '2', 3, 'db'), guest('u1', '1', 0)],
    // The second one of a pid tells it apart from nothing; twins stay so after the other has ended.
    [guest('u1', '1', 1), guest('u1', '3', 1), guest('u2', '2', 1), guest('u2', '2', 1)],
    [guest('u1', '3', 4)],
    [guest('u1', '3', 1), guest('u4', '4', 1)],
    [],
    [guest('u1', '3', 1)],
  ];
  for (const guests of moments) {
    const [bytes] = createPrinter('json', settings).print(sampleOf({ guests }));
    const text = Buffer.from(bytes ?? '').subarray(0, -1);
    const whole = builder.build([JSON.parse(text.toString()) as Fields]);
    const read = reader.read(text);
    assert.ok(whole !== undefined && read !== undefined);
    assert.deepEqual(toldOf(read), toldOf(whole));
    assert.ok(read.guests.every(({ nics }) => nics.length === 0));
    // A damaged line between them changes nothing.
    assert.equal(reader.read(text.subarray(0, text.length / 2)), undefined);
  }
});

test('any line is read or refused', () => {
  const reader = new LineReader(wanted);
  const bytes = line(names);
  for (let length = 0; length < bytes.length; length += 7) reader.read(bytes.subarray(0, length));
  let state = 1;
  for (let round = 0; round < 3000; round++) {
    const damaged = Buffer.from(bytes);
    for (let each = 0; each < 3; each++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      damaged[state % damaged.length] = (state >>> 24) & 255;
    }
    reader.read(damaged);
  }
  assert.notEqual(reader.read(bytes), undefined);
});

test('peaks of a recording are read where they are wanted', () => {
  const fields = {
    domains: [{ UUID: 'u', cpu_total: 3, cpu_total_peak: 50 }],
    '@timestamp': '2026-01-01',
    run: 'r',
    seq: 1,
  };
  const peak = peaksOf('vm').find(({ id }) => id === 'cpu_total_peak')?.slot ?? NaN;
  assert.equal(new SampleBuilder(true).build([fields])?.guests[0]?.row.values[peak], 50);
  assert.equal(new SampleBuilder().build([fields])?.guests[0]?.row.values[peak], undefined);
});
