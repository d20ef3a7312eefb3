import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Cycle } from '../e2e/program.ts';
import { LineReceiver } from '../lab/receiver.ts';
import { root, shellBlocks } from '../package/documents.ts';
import { hostAddress, Machine } from './machine.ts';
import { builtPackage, hasReleaseBefore, releaseBefore } from './packages.ts';
import { Site } from './site.ts';

/** The commands that docs/install.md shows, by the name behind ```sh. */
const blocks = new Map(shellBlocks('docs/install.md').map(({ name, script }) => [name, script]));
/** Those that are not run, and why. */
const notRun: Readonly<Record<string, string>> = {
  build: 'make deb made the package that is tested here; make release takes minutes',
};
/** The VM of the machine, which exists and does nothing. */
const VM = 'first';
/** s; an emulated processor beside other work takes its time. */
const PATIENCE = 240;

const directory = mkdtempSync(join(tmpdir(), 'proxtop-install-'));
const site = new Site();
const ran = new Set<string>();
let machine: Machine;

function commands(name: string): string {
  const script = blocks.get(name);
  assert.ok(script !== undefined, `docs/install.md has no commands called ${name}`);
  ran.add(name);
  return script;
}

/** Does what docs/install.md says, and gives what it printed. */
function follow(name: string): Promise<string> {
  return machine.run(`exec 2>&1\n${commands(name)}`);
}

/** Follows it again and again, as one does who waits for an answer. @param wanted a pattern of grep without quotation marks */
function followUntil(name: string, wanted: string): Promise<string> {
  const script = `timeout ${PATIENCE} sh -c 'until sh /tmp/step 2>&1 | tee /tmp/said | grep -q "${wanted}"; do sleep 1; done' || true; cat /tmp/said`;
  return machine.run(`cat >/tmp/step; ${script}`, Buffer.from(commands(name)));
}

/** Starts it in a second terminal; what it prints goes to a file. */
async function followBeside(name: string, output: string): Promise<void> {
  await machine.write('/tmp/beside', commands(name));
  await machine.run(`systemd-run --quiet --unit=beside -p StandardOutput=file:${output} sh /tmp/beside`);
}

/** Waits in the machine until a shell condition without single quotation marks holds. */
async function until(condition: string): Promise<void> {
  await machine.run(`timeout ${PATIENCE} sh -c 'until ${condition}; do sleep 1; done'`);
}

describe('docs/install.md, followed on a Debian 13 host', () => {
  before(async () => {
    machine = await Machine.boot();
    await site.install(machine);
    // Nothing but proxtop comes from elsewhere. Questions are answered: go on, and keep the changed configuration. An emulated
    // processor that others share starts a service in minutes.
    await machine.run(`
      rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
      echo 'APT::Get::Assume-Yes "true"; Dpkg::Options { "--force-confold"; };' >/etc/apt/apt.conf.d/answers
      mkdir -p /etc/systemd/system/proxtop.service.d
      printf '[Service]\\nTimeoutStartSec=infinity\\n' >/etc/systemd/system/proxtop.service.d/patient.conf
      systemctl daemon-reload
      systemd-run --quiet --unit=vm qemu-system-x86_64 -name ${VM} -S -display none -nodefaults -m 64
    `);
  });

  after(async () => {
    await machine.close();
    site.close();
    rmSync(directory, { recursive: true });
  });

  test(
    'the release before, from an apt source, is upgraded with its configuration and spool',
    { skip: !hasReleaseBefore() && 'needs the history of git' },
    async () => {
      await site.publish(machine, releaseBefore(directory));
      assert.match(await follow('apt'), /Setting up proxtop \(0\.1\.0\)/);
      const receiver = await LineReceiver.create();
      const { port } = receiver;
      await receiver.kill();
      const configuration = `frequency = 1\n[output.logstash]\ntype = tcp\ntarget = ${hostAddress}:${port}\nspool = true`;
      await machine.write('/etc/proxtop.conf', `${configuration}\n`);
      await machine.run('systemctl enable --now proxtop');
      await until('ls /var/lib/proxtop/logstash/*.spool 2>/dev/null | grep -q .');

      await site.publish(machine, builtPackage());
      assert.match(await follow('upgrade'), /Unpacking proxtop \(0\.2\.0-1\) over \(0\.1\.0\)/);
      assert.equal(await machine.run('cat /etc/proxtop.conf'), configuration);
      await until('proxtop status | grep -q "^proxtop 0.2.0"');
      assert.match(await machine.run('proxtop status || true'), /degraded: logstash is down/);
      // What 0.1.0 left on disk: it told no guest_type.
      const spooled = receiver.next((line) =>
        (JSON.parse(line) as Cycle).domains.some((row) => row['guest_type'] === undefined),
      );
      await receiver.restart();
      await spooled;
      await until('proxtop status >/dev/null');
      assert.match(await follow('upgraded'), /^proxtop 0\.2\.0, /m);
      await receiver.kill();
    },
  );

  test('removed, nothing runs, and of the source nothing is left', async () => {
    await follow('remove');
    await follow('remove-source');
    assert.equal(await machine.run('pgrep -f [b]in/proxtop || true'), '');
    await machine.run('apt purge proxtop 2>&1');
    assert.equal(
      await machine.run('ls -d /var/lib/proxtop /etc/apt/sources.list.d/* 2>/dev/null || true'),
      '',
    );
  });

  test('from a file', async () => {
    await site.publish(machine, builtPackage());
    assert.match(await follow('file'), /proxtop_0\.2\.0-1_amd64\.deb: OK\n[^]*Setting up proxtop/);
    assert.match(await follow('installed'), /^proxtop 0\.2\.0 \(package 0\.2\.0-1/);
    assert.match(await machine.run('systemctl is-active proxtop || true'), /^inactive$/);
  });

  test('the tests that the package brings pass', async () => {
    for (const name of ['programs', 'service'])
      await machine.run(readFileSync(join(root, 'debian/tests', name), 'utf8'));
  });

  test('look', async () => {
    const view = commands('look').trim();
    await machine.run(`
      mkfifo /tmp/keys
      TERM=xterm script -qefc 'stty rows 40 cols 150; ${view}' /tmp/screen </tmp/keys >/dev/null 2>&1 &
      exec 3>/tmp/keys
      timeout ${PATIENCE} sh -c 'until grep -q ${VM} /tmp/screen; do sleep 1; done'
      printf q >&3
      wait $!
    `);
    assert.match(await follow('text'), new RegExp(`\\b${VM}\\b`));
  });

  test('keep a history', async () => {
    assert.match(await follow('history'), /^proxtop 0\.2\.0, process \d+/m);
    assert.match(await followUntil('look-back', VM), new RegExp(`\\b${VM}\\b`));
  });

  test('stream to a TCP receiver', async () => {
    await followBeside('receiver', '/tmp/received');
    assert.match(await follow('tcp'), /^ +output receiver +tcp to /m);
    await until(`grep -q ${VM} /tmp/received`);
    await followUntil('tcp-status', 'receiver  *up ');
  });

  test('InfluxDB', async () => {
    await follow('influxdb-server');
    await machine.run('systemctl start influxdb');
    await until('wget -qO- http://127.0.0.1:8086/query?q=SHOW+DATABASES');
    await follow('influxdb');
    assert.match(await followUntil('influxdb-query', 'values'), /"proxtop_host"/);
    await machine.run('systemctl stop influxdb');
  });

  test('Prometheus', async () => {
    await follow('prometheus');
    assert.match(await followUntil('prometheus-page', 'cpu'), /^proxtop_host_cpu_seconds_total\S* [\d.]+$/m);
    await follow('prometheus-server');
    await machine.run('systemctl start prometheus');
    assert.match(await follow('prometheus-scrape'), /SUCCESS/);
    assert.match(await followUntil('prometheus-query', 'result":.{"metric'), /"job":"proxtop"/);
    await machine.run('systemctl stop prometheus');
  });

  test('nothing that the document shows was left out', { skip: !hasReleaseBefore() }, () => {
    assert.deepEqual([...ran, ...Object.keys(notRun)].sort(), [...blocks.keys()].sort());
  });
});
