// What is asked of a recording of several hosts: no guest is mixed with one of another host, and each row says of which host it is.
import assert from 'node:assert/strict';
import { rmSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createPrinter, printerNames } from '../../src/formats/index.ts';
import { proxtop } from '../e2e/program.ts';
import { row, settings } from '../formats/sample.ts';
import { report } from '../report/helpers.ts';
import { guest, moment } from './nodes.ts';

/** Moments of two nodes, and of a third host that watches them. */
const MOMENTS = 30;

/** Guests that nothing tells apart but their hosts: copies of a VM, and containers, which have no UUID. */
function twins(load: number, state: string) {
  const container = guest('', { vmid: '101', name: 'db', guest_type: 'lxc', cpu_total: load + 1 });
  return [
    guest('a', { vmid: '100', name: 'web', cpu_total: load, cpu_steal: 1, state }),
    { ...container, guest: { ...container.guest, type: 'lxc' as const } },
  ];
}

/** A whole report would fill the screen. */
function find(text: string, pattern: RegExp): void {
  assert.ok(pattern.test(text), String(pattern));
}

describe('a recording of two hosts', () => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-cluster-'));
  const file = join(directory, 'night.json');

  before(() => {
    const printer = createPrinter('json', settings);
    const lines: string[] = [];
    for (let seq = 1; seq <= MOMENTS; seq++) {
      // One that was away for ten seconds.
      const isAway = seq > 10 && seq <= 20;
      const { own, nodes } = moment(seq, { pve1: twins(10, 'running'), pve2: twins(50, 'io-error') });
      const samples = nodes.flatMap(({ name, sample }) =>
        sample && !(isAway && name === 'pve2') ? sample : [],
      );
      // It measures nothing of itself.
      const watching = { ...own, host: { ...own.host, row: row('host', { host_name: 'desk' }) } };
      for (const sample of [watching, ...samples]) lines.push(...printer.print(sample).map(String));
    }
    writeFileSync(file, lines.join(''));
  });

  after(() => {
    rmSync(directory, { recursive: true });
  });

  test('worst: a row for each, with its node; what of each host was measured', async () => {
    const { code, stdout } = await proxtop(['worst', '--replay', file, '--by', 'cpu_total']);
    assert.equal(code, 0);
    assert.match(stdout, /^pve1: .* 30 s measured of 30 s, in 30 samples\npve2: .* 20 s measured of /);
    assert.match(stdout, /\npve2: before .*: 10 s are missing: lost or damaged\n/);
    assert.doesNotMatch(stdout, /another run|desk/);
    const rows = stdout.split('\n').flatMap((line) => {
      const [node, vmid, name, mean] = line.trim().split(/ +/);
      return node?.startsWith('pve') === true && vmid?.startsWith('1') === true
        ? [[node, vmid, name, mean]]
        : [];
    });
    assert.deepEqual(rows, [
      ['pve2', '101', 'db', '51.0'],
      ['pve2', '100', 'web', '50.0'],
      ['pve1', '101', 'db', '11.0'],
      ['pve1', '100', 'web', '10.0'],
    ]);
    const json = await proxtop(['worst', '--replay', file, '--by', 'cpu_total', '-p', 'json']);
    const answer = JSON.parse(json.stdout) as { readonly nodes: unknown; readonly gaps: readonly object[] };
    assert.deepEqual(answer.nodes, [
      { node: 'pve1', seconds: 30, samples: 30 },
      { node: 'pve2', seconds: 20, samples: 20 },
    ]);
    assert.equal(answer.gaps.length, 1);
    const csv = await proxtop(['worst', '--replay', file, '--by', 'cpu_total', '-p', 'csv']);
    assert.match(csv.stdout, /\r\ncpu_total,percent,2,qemu,100,web,a,,,50,50,[^,]+,20,,,pve2\r\n/);
  });

  test('report: guests, verdicts and hosts of each', async () => {
    const path = join(directory, 'night.html');
    const { code, stderr } = await report([file, '-o', path]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, / 4 guests, 1 verdict,/);
    const text = readFileSync(path, 'utf8');
    find(text, /<h1>2 hosts<\/h1>/);
    find(text, /pve1: 30 samples about 30 s of 30 s;<br>\npve2: 20 samples about 20 s of 29 s;/);
    find(text, /<li>pve2: .*: 10 s are missing/);
    const guests = [...text.matchAll(/data-guest="\d+"><bdi>([^<]*)<\/bdi><\/a><\/th>/g)].map(
      ([, name]) => name,
    );
    assert.deepEqual(guests, ['pve2: 100 web', 'pve1: 100 web', 'pve1: 101 db', 'pve2: 101 db']);
    const sentences = [...text.matchAll(/<td class="sentence"><bdi>([^<]*)/g)].map(
      ([, sentence]) => sentence,
    );
    assert.equal(sentences.length, 1);
    assert.match(sentences[0] ?? '', /^pve2: 100 web/);
    find(text, /<caption><bdi>pve1<\/bdi> in this time[^]*<caption><bdi>pve2<\/bdi> in this time/);
  });

  test('replay: every printer says of which host a record is', async () => {
    // remote-write is for http only; its labels are those of the page for Prometheus.
    const printers = printerNames.filter((name) => name !== 'remote-write');
    await Promise.all(
      printers.map(async (printer) => {
        const { code, stdout, stderr } = await proxtop(['--replay', file, '-p', printer, '-r', '6']);
        assert.deepEqual([code, stderr], [0, ''], printer);
        for (const name of ['pve1', 'pve2']) assert.ok(stdout.includes(name), `${printer}: ${name}`);
      }),
    );
  });
});
