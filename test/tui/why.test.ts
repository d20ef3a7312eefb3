import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultThresholds, resolveThresholds } from '../../src/config/thresholds.ts';
import { catalogue } from '../../src/catalogue/catalogue.ts';
import type { Metric } from '../../src/catalogue/catalogue.ts';
import type { Scope } from '../../src/catalogue/define.ts';
import { metricOf } from '../../src/tui/values/row-values.ts';
import { why } from '../../src/tui/analysis/why.ts';
import type { Row } from '../../src/catalogue/row.ts';
import { row, sampleOf, vmRows } from '../formats/sample.ts';

const thresholds = resolveThresholds(new Map([['cpu_load1', { text: 'off', origin: 'test' }]]));

function metric(scope: Scope, id: string): Metric {
  const found = metricOf(scope, id);
  assert.ok(found !== undefined, `${scope} ${id}`);
  return found;
}

type Known = Readonly<Record<string, number | string>>;

function text(scope: Scope, id: string, known?: Known): string {
  const value = known && { row: row(scope, known), guest: undefined, sample: sampleOf() };
  return why(metric(scope, id), value, thresholds, 200).join('\n');
}

/** What is said of a value of a guest, or of one of its disks. */
function ofGuest(id: string, known: Known, more: { disk?: Known; host?: Known; cpus?: Row[] } = {}): string {
  const disk = row('vm_disk', { device: 'scsi0', ...more.disk });
  const guest = vmRows(row('vm', known), { disks: [disk] });
  const sample = sampleOf({ guests: [guest], host: { row: row('host', more.host), cpus: more.cpus ?? [] } });
  const at = more.disk === undefined ? guest.row : disk;
  return why(metric(at.scope, id), { row: at, guest, sample }, thresholds, 200).join('\n');
}

test('says what a value means, where it comes from, how it is made, what its levels and causes are', () => {
  assert.equal(
    text('vm', 'cpu_steal', { cpu_steal: 12.345 }),
    [
      '%RDY: cpu_steal of a VM',
      '',
      'Share of time its vCPUs are ready to run but wait for a free CPU. The guest stands still meanwhile and may see this as steal time.',
      '',
      'now       12.3%: red',
      'source    /proc/<pid>/task/<tid>/schedstat field 2',
      'formula   mean over vCPU threads of delta(run-queue wait ns)/delta(ns)*100',
      `container ${metric('vm', 'cpu_steal').container}`,
      'levels    yellow from 5, red from 10 percent; [thresholds] cpu_steal changes that',
      '',
      'What usually causes it',
      ...metric('vm', 'cpu_steal').causes.map((cause) => `  - ${cause}`),
    ].join('\n'),
  );
});

test('levels of sizes, parts of others, one alone and none', () => {
  assert.match(text('vm', 'ram_swap', { ram_swap: 3 * 2 ** 20 }), /^now +3\.0MiB: red$/m);
  assert.match(text('vm', 'ram_swap'), /^levels +yellow from 1B, red from 1\.0MiB; /m);
  const memory = text('host', 'ram_available', { ram_available: 2 ** 30, ram_total: 16 * 2 ** 30 });
  assert.match(memory, /^now +1\.0GiB, 6\.3 percent of ram_total: yellow$/m);
  assert.match(memory, /^levels +yellow at most 10, red at most 4 percent of ram_total; /m);
  assert.match(text('vm', 'cpu_throttled'), /^levels +red from 1 percent; /m);
  assert.match(text('host', 'cpu_load1', { cpu_load1: 99, cpu_cores: 1 }), /^now +99$/m);
  assert.match(text('host', 'cpu_load1'), /^levels +none; \[thresholds\] cpu_load1 = warn\/bad sets some$/m);
});

test('what is not known is said to be so', () => {
  assert.match(text('vm', 'cpu_steal', {}), /^now +not known: nothing that is measured here tells it/m);
  assert.match(
    text('vm', 'ram_used', {}),
    /^now +not known: it needs balloon statistics from the guest, which is not there/m,
  );
  assert.match(text('vm', 'ram_used', {}), /^needs +balloon statistics from the guest$/m);
  assert.match(text('vm', 'state', { state: 'paused' }), /^now +paused$/m);
});

test('why a value is not known, as far as the sample shows', () => {
  const silent = { qmp: 'timeout', qmp_age: 244 };
  const noAnswer = /^now +not known: the monitor has given no answer for 4 min \(timeout\)$/m;
  assert.match(ofGuest('disk_lat_rd', silent), noAnswer);
  const held = { qmp: 'held', qmp_age: 3 };
  assert.match(ofGuest('disk_lat_rd', held), /: another client holds the monitor for 3 s$/m);
  const idle = { disk: { disk_reads: 0 } };
  assert.match(ofGuest('disk_lat_rd', {}, idle), /: there was no operation in this interval$/m);
  const cpu = sampleOf({ collectors: ['cpu'] });
  const vm = row('vm');
  const lines = why(metric('vm', 'ram_rss'), { row: vm, guest: vmRows(vm), sample: cpu }, thresholds, 200);
  assert.match(lines.join('\n'), /: the collector mem does not run$/m);
});

test('causes are marked by the numbers of this moment', () => {
  const cpus = [0, 1].map((cpu) => row('host_cpu', { device: String(cpu), cpu_busy: cpu === 1 ? 99 : 10 }));
  const host = { cpu_cores: 2, cpu_idle: 45, cpu_iowait: 0, cpu_steal: 0 };
  const waits = { cpu_cores: 1, cpu_steal: 40, cpu_throttled: 0, cpu_affinity: '1' };
  const cpu = ofGuest('cpu_steal', waits, { host, cpus });
  assert.match(cpu, /^What causes it at this moment$/m);
  assert.match(cpu, /^ {2}\[no\] {2}its own CPU limit: holds each vCPU back 0 % of the time$/m);
  assert.match(cpu, /^ {2}\[no\] {2}the CPUs of the host are short: 55 % busy \(from 85 %\)$/m);
  assert.match(cpu, /^ {2}\[yes\] it is pinned to few CPUs: CPUs 1 are 99 % busy$/m);
  const disk = { disk_reads: 25, disk_lat_avg: 30, disk_limit_used: 100, disk_davg_rd: 0.6 };
  const latency = ofGuest('disk_lat_avg', { cpu_other_steal: 1 }, { disk });
  assert.match(latency, /^ {2}\[yes\] its own disk limit: 100 % of it used$/m);
  assert.match(latency, /^ {2}\[no\] {2}the device below is slow: it answers in 0.6 ms$/m);
  assert.match(latency, /^ {2}\[no\] {2}QEMU itself waits for a CPU: %OTHRDY 1 % \(from 20 %\)$/m);
  assert.match(latency, /^ {2}\[\?\] {3}a thread of QEMU is full: not known$/m);
  assert.match(latency, /^ {2}\[no\] {2}a backup or snapshot is under way: no lock$/m);
  assert.doesNotMatch(text('host', 'cpu_idle', { cpu_idle: 3 }), /at this moment/);
});

test('nobody is sent to the line above', () => {
  assert.match(
    text('vm', 'disk_lat_wr'),
    /^formula +delta\(time\)\/delta\(ops\); omitted without operations$/m,
  );
  assert.match(text('vm', 'ram_used'), /^source +QMP query-balloon total_mem/m);
  for (const each of catalogue) {
    const lines = why(each, undefined, thresholds, 60);
    for (const line of lines) {
      assert.ok(line.length <= 60 || /\S{40}/.test(line), line);
      assert.doesNotMatch(line, /as above/);
    }
  }
});

test('everything that can turn red by default has causes', () => {
  assert.ok(Object.keys(defaultThresholds).length > 20);
  for (const each of catalogue) {
    if (defaultThresholds[each.id] === undefined) continue;
    assert.ok(each.causes.length > 0, `${each.scope} ${each.id}`);
    assert.match(why(each, undefined, thresholds, 60).join('\n'), /^What usually causes it$/m);
  }
});
