import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { columns } from '../../src/catalogue/catalogue.ts';
import { scopes } from '../../src/catalogue/define.ts';
import { createPrinter } from '../../src/formats/index.ts';
import { completeSample, row, sampleOf, settings, vmRows } from './sample.ts';

const python = spawnSync('python3', ['--version']).status === 0;

/** Rows as Python's csv module reads them, strictly. */
function read(text: string): string[][] {
  const program = `
import csv, io, json, sys
text = sys.stdin.buffer.read().decode("utf-8", "strict")
print(json.dumps(list(csv.reader(io.StringIO(text, newline=""), strict=True))))
`;
  const { status, stdout, stderr } = spawnSync('python3', ['-c', program], {
    input: text,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as string[][];
}

test('a table for each scope, its header once', () => {
  const printer = createPrinter('csv', { ...settings, verbose: false });
  const sample = (seq: number) => ({
    ...sampleOf({
      seq,
      host: { row: row('host', { host_name: 'pve1', cpu_cores: 64 }) },
      guests: [
        vmRows(row('vm', { UUID: 'u-1', name: 'web', cpu_total: 0.5 }), {
          vcpus: [row('vm_vcpu', { device: '0' })],
        }),
      ],
    }),
    collectors: ['cpu'] as const,
  });
  const [first, second] = [1, 2].map((seq) => printer.print(sample(seq)).join(''));
  const cells = '2026-11-22T12:00:00.000Z,r1';
  assert.deepEqual(first?.split('\r\n').slice(0, 6), [
    'host,time,run,seq,host_name,cpu_cores,cpu_curfreq,cpu_user,cpu_system,cpu_idle,cpu_steal,cpu_iowait',
    `host,${cells},1,pve1,64,,,,,,`,
    'vm,time,run,seq,host_name,UUID,name,vmid,pid,guest_type,qmp,qmp_age,cpu_cores,cpu_total,cpu_steal,cpu_used,cpu_total_max,cpu_steal_max,cpu_limit,cpu_limit_used,cpu_other_max,cpu_other_total,cpu_other_steal,cpu_tasks',
    `vm,${cells},1,pve1,u-1,web,,,,,,,0.5,,,,,,,,,,`,
    'vm_vcpu,time,run,seq,host_name,UUID,name,vmid,pid,guest_type,device,cpu_total,cpu_steal',
    `vm_vcpu,${cells},1,pve1,u-1,web,,,,0,,`,
  ]);
  assert.equal(second?.split('\r\n').filter((line) => line.includes('time')).length, 0);
  printer.begin?.();
  assert.equal(
    printer
      .print(sample(3))
      .join('')
      .split('\r\n')
      .filter((line) => line.includes('time')).length,
    4,
  );
});

test('hostile texts, read back by Python', { skip: !python && 'no python3' }, () => {
  const names = [
    'a"b',
    'a,b',
    '""',
    '"',
    'a\r\nb',
    'x\u0000\u001b[31m',
    "'",
    ' ',
    '=1+1',
    'é\ud83d\ude00',
    '\ud800',
    ',"\n"',
  ];
  const sample = sampleOf({
    run: 'r"1',
    guests: names.map((name) => vmRows(row('vm', { name, state: name, cpu_total: 1 }))),
  });
  const [header, ...rows] = read(createPrinter('csv', settings).print(sample).join('')).filter(
    ([scope]) => scope === 'vm',
  );
  assert.equal(rows.length, names.length);
  for (const [index, cells] of rows.entries()) {
    assert.equal(cells.length, header?.length);
    const shown = Array.from(names[index]!, (character) =>
      /[\p{Cc}\p{Cs}]/u.test(character) ? '?' : character,
    ).join('');
    for (const column of ['name', 'state']) assert.equal(cells[header!.indexOf(column)], shown);
    assert.equal(cells[header!.indexOf('run')], 'r"1');
  }
});

test('every metric is in its table, and the columns stay the same', { skip: !python && 'no python3' }, () => {
  const printer = createPrinter('csv', { ...settings, layout: 'event' });
  const full = completeSample(
    (slot) => slot + 0.5,
    (id) => `text of ${id}`,
  );
  const rows = read(
    [...printer.print(full), ...printer.print(sampleOf({ guests: [vmRows(row('vm'))] }))].join(''),
  );
  for (const scope of scopes) {
    const [header = [], values = [], ...others] = rows.filter(([first]) => first === scope);
    for (const { id, kind, slot } of columns(scope)) {
      assert.equal(
        values[header.indexOf(id)],
        kind === 'text' ? `text of ${id}` : String(slot + 0.5),
        `${scope} ${id}`,
      );
    }
    for (const other of others) assert.equal(other.length, header.length);
  }
});
