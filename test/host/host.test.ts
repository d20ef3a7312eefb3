import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Cycle, Row } from '../e2e/program.ts';
import { device, domain, num } from '../e2e/program.ts';
import { LineReceiver } from '../lab/receiver.ts';
import { joinCluster } from './cluster.ts';
import { Guests, volume, volumeGroup } from './guests.ts';
import { hostAddress, Machine } from './machine.ts';
import { liveThroughNight, waited } from './night.ts';
import type { Night } from './night.ts';
import { builtPackage, nextPackage, originalPackage } from './packages.ts';

const CONFIG = '/etc/proxtop.conf';
const throttled = { vmid: 100 };
const busy = { vmid: 101 };
const idle = { vmid: 102 };
/** ms; what takes a second elsewhere takes ten in an emulator, and more beside other work. */
const WAIT = 240_000;

const directory = mkdtempSync(join(tmpdir(), 'proxtop-packages-'));
const guests = new Guests();
let machine: Machine;
let night: Night;
/** Plays the receiver on another host, across the network of the machine. */
let receiver: LineReceiver;

/** The whole of it, with a spool. @param more lines at the top */
function configuration(more = ''): string {
  return `${more}
collectors = cpu, mem, disk, net, io, pressure, host
verbose = true
devices = true
[output.logstash]
type = tcp
target = ${hostAddress}:${receiver.port}
spool = true
`;
}

/** The first cycle from now on that is wanted. */
async function next(what: string, wanted: (cycle: Cycle) => boolean = () => true): Promise<Cycle> {
  let late: NodeJS.Timeout | undefined;
  const line = await Promise.race([
    receiver.next((each) => wanted(JSON.parse(each) as Cycle)),
    new Promise<never>((_, reject) => {
      late = setTimeout(() => {
        reject(
          new Error(`${what}: not within ${WAIT} ms; the last line: ${receiver.lines.at(-1) ?? 'none'}`),
        );
      }, WAIT);
    }),
  ]);
  clearTimeout(late);
  return JSON.parse(line) as Cycle;
}

/** Properties of the service, as systemd shows them. */
async function service(...names: readonly string[]): Promise<string[]> {
  const text = await machine.run(`systemctl show proxtop ${names.map((name) => `-p ${name}`).join(' ')}`);
  const values = new Map(
    text.split('\n').map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
  );
  return names.map((name) => values.get(name) ?? '');
}

/** Waits in the machine until a shell condition holds. */
async function until(condition: string): Promise<void> {
  await machine.run(`timeout ${WAIT / 1000} sh -c 'until ${condition}; do sleep 1; done'`);
}

function install(file: string): Promise<string> {
  return machine.run(
    `DEBIAN_FRONTEND=noninteractive apt-get install -y -q -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 ${file}`,
  );
}

/** The ids of all values in rows, also of their devices. */
function ids(rows: readonly Row[]): string[] {
  const found = rows.flatMap((row) =>
    Object.entries(row).flatMap(([id, value]) =>
      Array.isArray(value) ? ids(value as Row[]).map((inner) => `${id}.${inner}`) : [id],
    ),
  );
  return [...new Set(found)].sort();
}

describe('the package on a Debian 13 host', () => {
  before(async () => {
    machine = await Machine.boot();
    receiver = await LineReceiver.create();
    await guests.install(machine);
    await guests.start(machine);
  });

  after(async () => {
    await machine.close();
    await receiver.kill();
    guests.close();
    rmSync(directory, { recursive: true });
  });

  test("installed over the original, it understands that one's configuration", async () => {
    await machine.copy(originalPackage(directory), '/root/original.deb');
    await machine.copy(builtPackage(), '/root/proxtop.deb');
    await machine.run('dpkg -i /root/original.deb');
    await machine.write(CONFIG, `PROXTOP_TARGET=${hostAddress}:${receiver.port}\n`);
    night = await liveThroughNight(machine);
    await install('/root/proxtop.deb');
    assert.deepEqual(await service('ActiveState', 'UnitFileState'), ['inactive', 'disabled']);

    const first = next('the first sample');
    await machine.run('systemctl enable --now proxtop');
    const { domains } = await first;
    assert.deepEqual(domains.map(({ name }) => name).sort(), ['busy-disk', 'idle', 'throttled']);
    const [active, status = ''] = await service('ActiveState', 'StatusText');
    assert.equal(active, 'active');
    assert.match(status, /^3 VMs; PROXTOP_TARGET (up|connecting), \d+ waiting, 0 dropped$/);
  });

  test('a new configuration is reloaded: pressure, memory, throttling and LVM of the host', async () => {
    await machine.write(CONFIG, configuration());
    await machine.run('systemctl reload proxtop');
    const full = (cycle: Cycle): boolean =>
      Number(domain(cycle, throttled)?.['cpu_throttled']) > 0 &&
      Number(domain(cycle, busy)?.['disk_writes']) > 0;
    const cycle = await next('a throttled VM and one that writes', full);
    // It may run 20 ms of every 100 ms, and never stops by itself: it waits in every period.
    assert.ok(num(domain(cycle, throttled), 'cpu_throttled') > 20, JSON.stringify(domain(cycle, throttled)));
    const share = num(domain(cycle, throttled), 'cpu_total');
    assert.ok(share < 40, `${share} % of a vCPU that may use 20 %`);
    for (const vm of [throttled, busy, idle]) {
      const row = domain(cycle, vm);
      assert.ok(num(row, 'psi_some_cpu_avg10') >= 0);
      assert.ok(num(row, 'ram_cgroup') > 2 ** 20);
    }
    const { disks = [], nics = [] } = cycle.host;
    const lvm = disks.filter((row) => row['disk_type'] === 'lvm');
    assert.equal(lvm.length, 1, JSON.stringify(disks));
    assert.equal(device(disks, 'vda')?.['disk_type'], 'physical');
    assert.ok(nics.some((row) => row['device'] === 'eth0'));
    assert.equal(domain(cycle, idle)?.nics?.[0]?.['device'], 'tap102i0');
    assert.equal(await machine.run(`lvs --noheadings -o lv_name ${volumeGroup} | tr -d ' '`), volume);
  });

  test('two NUMA nodes: the memory of each, and which part of that of a VM is near to its vCPUs', async () => {
    // Looked at once a minute; 101 may run on both nodes, so that nothing exact is known of it.
    const cycle = await next('where memory lies', (each) => {
      const isTold = [throttled, idle].every((vm) => 'ram_numa_local' in (domain(each, vm) ?? {}));
      return isTold && (each.host['numa'] as Row[]).length === 2;
    });
    const nodes = cycle.host['numa'] as readonly Row[];
    const totals = await machine.run(
      "awk '/MemTotal/ { print $4 }' /sys/devices/system/node/node[01]/meminfo",
    );
    assert.deepEqual(
      nodes.map((row) => num(row, 'numa_total') / 1024),
      totals.split('\n').map(Number),
    );
    for (const row of nodes) {
      assert.equal(row['numa_cpus'], row['device']);
      assert.ok(num(row, 'numa_free') < num(row, 'numa_available'));
      assert.ok(num(row, 'numa_available') < num(row, 'numa_total'));
    }
    for (const [vm, cpu, near] of [
      [throttled, 1, 0],
      [idle, 0, 100],
    ] as const) {
      const row = domain(cycle, vm);
      assert.equal(row?.['cpu_affinity'], String(cpu));
      // What the kernel says mapping by mapping: anonymous pages on node 0, and on node 1.
      const maps = await machine.run(`grep ' anon=' /proc/${row['pid'] as string}/numa_maps`);
      const [home = NaN, away = NaN] = [0, 1].map((node) =>
        [...maps.matchAll(new RegExp(` N${node}=(\\d+)`, 'g'))].reduce(
          (sum, [, pages]) => sum + Number(pages),
          0,
        ),
      );
      assert.ok(home > 100 * away, `${home} and ${away} pages of ${vm.vmid}`);
      assert.ok(
        Math.abs(num(row, 'ram_numa_local') - near) < 1,
        `${num(row, 'ram_numa_local')} % of ${vm.vmid}`,
      );
    }
  });

  test('the sandbox is tight, and keeps no metric from it', async () => {
    assert.equal(
      await machine.run('systemd-analyze verify --man=no proxtop.service proxprofiler.service 2>&1'),
      '',
    );
    const exposure = await machine.run(
      `for unit in proxtop proxprofiler; do systemd-analyze security --no-pager $unit | sed -n 's/.*exposure level.*: \\([0-9.]*\\) .*/\\1/p'; done`,
    );
    for (const level of exposure.split('\n')) assert.ok(Number(level) <= 2.6, `exposure level ${level}`);
    const free = await machine.run(
      `proxtop --config ${CONFIG} --output=stdout --printer=json --runs=3 2>/dev/null | tail -n 1`,
    );
    const outside = JSON.parse(free) as Cycle;
    // The two meet at the monitors, and then one of them has to wait.
    const known = ids(outside.domains).filter((id) => !id.startsWith('qmp'));
    assert.ok(known.length > 60, known.join());
    const missing = { vm: new Set(known), host: new Set(ids([outside.host])) };
    await next('all that is known outside', ({ domains, host }) => {
      for (const id of ids(domains)) missing.vm.delete(id);
      for (const id of ids([host])) missing.host.delete(id);
      return missing.vm.size + missing.host.size === 0;
    }).catch((error: unknown) => {
      throw new Error(`never told: ${[...missing.vm, ...missing.host].join()}`, { cause: error });
    });
    await guests.stop(machine, throttled, busy);
  });

  test('in a cluster, nodes that are on tell their samples, and of one that is off it is said', async () => {
    await joinCluster(machine);
    // Until pve2 has told for two seconds: how long proxtop takes to start depends on what else runs here.
    const said = await machine.run(
      `timeout ${WAIT / 1000} proxtop --cluster -p json -o stdout --host | awk '{ print } /"name":"pve2","state":"up"/ && ++up == 3 { exit }'`,
    );
    const cycles = said.split('\n').map((line) => JSON.parse(line) as Cycle);
    for (const cycle of cycles)
      assert.deepEqual(
        cycle.domains.map(({ name }) => name),
        ['idle'],
      );
    const nodes = ({ agent }: Cycle): readonly Row[] => agent['nodes'] as readonly Row[];
    const own = cycles.filter((cycle) => nodes(cycle).length > 0);
    const rows = nodes(own.at(-1)!);
    assert.deepEqual(
      rows.map((row) => [row['name'], row['state'], row['guests']]),
      [
        ['pve1', 'up', 1],
        ['pve2', 'up', 1],
        ['pve3', 'unreachable', undefined],
      ],
    );
    assert.match(rows[2]?.['verdict'] as string, /^ssh: connect to host 10\.0\.2\.77 port 22: /);
    assert.ok(own.length < cycles.length, 'none is of pve2');
    assert.equal(new Set(own.map(({ run }) => run)).size, 1);
    await guests.stop(machine, idle);
    await next('no VM any more', ({ domains }) => domains.length === 0);
  });

  test('a broken configuration is refused, and the one before goes on', async () => {
    await machine.write(CONFIG, configuration('frequency = often'));
    const { code } = await machine.attempt('systemctl reload proxtop');
    assert.equal(code, 1);
    const mistake = /proxtop\.conf:1, frequency: found "often", expected a number/;
    assert.match(await machine.run('journalctl -u proxtop -n 5 -o cat'), mistake);
    // Not through systemctl, which asks --check first.
    await machine.run('systemctl kill --kill-whom=main --signal=HUP proxtop');
    await until('systemctl show -p StatusText proxtop | grep -q refused');
    const [active, status = ''] = await service('ActiveState', 'StatusText');
    assert.equal(active, 'active');
    assert.match(status, mistake);
    await next('a sample');
  });

  test('as it is shipped it keeps a history, and nothing else', async () => {
    await machine.run(`cp ${CONFIG}.dpkg-dist ${CONFIG} && systemctl reload proxtop`);
    await until('systemctl show -p StatusText proxtop | grep -q "StatusText=[0-9]* VMs$"');
    const [active, status, restarts] = await service('ActiveState', 'StatusText', 'NRestarts');
    assert.deepEqual([active, restarts], ['active', '0']);
    assert.match(status ?? '', /^\d+ VMs$/);
    await machine.write(CONFIG, configuration());
    const again = next('a sample');
    await machine.run('systemctl reload proxtop');
    await again;
  });

  test('while the receiver is away samples are spooled, and none is missing when it is back', async () => {
    const before = await next('a sample');
    await receiver.kill();
    await until('ls /var/lib/proxtop/logstash/*.spool 2>/dev/null | grep -q .');
    assert.match(await machine.run('proxtop status || true'), /logstash is down/);
    await receiver.restart();
    const last = await next(
      'the present',
      ({ agent, seq }) => seq > before.seq + 3 && num(agent, 'queued') <= 1,
    );
    const seqs = receiver.lines
      .map((line) => JSON.parse(line) as Cycle)
      .filter(({ run, seq }) => run === before.run && seq >= before.seq && seq <= last.seq)
      .map(({ seq }) => seq);
    assert.equal(new Set(seqs).size, last.seq - before.seq + 1);
  });

  test('killed, it is started again', async () => {
    const { run } = await next('a sample');
    await machine.run('systemctl kill --signal=KILL proxtop');
    await next('a sample of a new process', (cycle) => cycle.run !== run);
    const [restarts, result] = await service('NRestarts', 'Result');
    assert.deepEqual([restarts, result], ['1', 'success']);
  });

  test('stopped in its tracks, it is killed by the watchdog and started again', async () => {
    const { run } = await next('a sample');
    await machine.run('systemctl kill --kill-whom=main --signal=STOP proxtop');
    await next('a sample of a new process', (cycle) => cycle.run !== run);
    assert.deepEqual(await service('NRestarts'), ['2']);
    assert.match(await machine.run('journalctl -u proxtop -o cat'), /Watchdog timeout/);
  });

  test('the profiler runs as a service too', async () => {
    await machine.run('systemctl start proxprofiler');
    assert.equal(
      await machine.run('systemctl is-active proxprofiler && systemctl is-enabled proxprofiler || true'),
      'active\ndisabled',
    );
    await machine.run('systemctl stop proxprofiler && test -e /var/lib/proxprofiler/profiles.state');
  });

  test('after the machine has booted it is back by itself', async () => {
    const { run } = await next('a sample');
    const back = next('a sample of a new process', (cycle) => cycle.run !== run);
    await machine.reboot();
    await back;
    assert.deepEqual(await service('ActiveState', 'NRestarts'), ['active', '0']);
  });

  test('the night that nobody watched is replayed, ranked and reported', async () => {
    const span = `--from ${night.from} --to ${night.to}`;
    const then = JSON.parse(await machine.run(`proxtop --replay --at ${night.spike} -p json`)) as Cycle;
    assert.equal(num(domain(then, waited), 'cpu_steal'), waited.mean);
    const table = await machine.run(`proxtop worst ${span} --by %RDY`);
    assert.match(table, new RegExp(`^ +${waited.vmid} +${waited.name} .* ${waited.most}\\b`, 'm'));
    await machine.run(`proxtop report ${span} -o /tmp/night.html`);
    const page = await machine.run('cat /tmp/night.html');
    assert.match(page, /<html\b/);
    assert.ok(page.includes(waited.name));
    // What the service measured before the machine booted follows it.
    assert.match(await machine.run('proxtop worst --from 3h --by cpu_total'), / throttled /);
  });

  test('an upgrade keeps the configuration and restarts it once', async () => {
    const { run } = await next('a sample');
    await machine.copy(nextPackage(directory, builtPackage()), '/root/next.deb');
    const [pid] = await service('MainPID');
    const again = next('a sample of a new process', (cycle) => cycle.run !== run);
    await machine.run('dpkg --install --force-confold /root/next.deb');
    await again;
    assert.equal(await machine.run(`cat ${CONFIG}`), configuration().trimEnd());
    const started = await machine.run("journalctl -b -u proxtop -o cat | grep -c '^Started'");
    assert.equal(started, '2', 'once at boot and once after the upgrade');
    const [now, active] = await service('MainPID', 'ActiveState');
    assert.equal(active, 'active');
    assert.notEqual(now, pid);
  });

  test('a wrong configuration ends it with 2, and it is not started in a loop', async () => {
    await machine.run(`sed -i '1i colectors = cpu' ${CONFIG}`);
    assert.equal((await machine.attempt('systemctl restart proxtop')).code, 1);
    const [active, code, restarts] = await service('ActiveState', 'ExecMainStatus', 'NRestarts');
    assert.deepEqual([active, code, restarts], ['failed', '2', '0']);
    assert.match(
      await machine.run('journalctl -u proxtop -n 8 -o cat'),
      /proxtop\.conf:1, colectors: unknown key; did you mean collectors\?/,
    );
    await machine.write(CONFIG, configuration());
    await machine.run('systemctl reset-failed proxtop && systemctl start proxtop');
  });

  test('removed, it leaves configuration and spool; purged, nothing', async () => {
    await machine.run('apt-get remove -y -q -o Dpkg::Use-Pty=0 proxtop');
    assert.equal(await machine.run('pgrep -x node || true'), '');
    await machine.run(
      `test -e ${CONFIG} -a -d /var/lib/proxtop -a ! -e /usr/bin/proxtop -a ! -e /run/proxtop`,
    );
    await machine.run('dpkg --purge proxtop');
    const left = await machine.run(
      `find / -xdev \\( -name '*proxtop*' -o -name '*proxprofiler*' \\) -not -path '/root/*' -not -path '/var/log/journal/*'`,
    );
    assert.equal(left, '');
    assert.equal(await machine.run('systemctl list-unit-files --no-legend "prox*" | cat'), '');
    assert.match(
      await machine.run('dpkg-query -W -f "\\${Status}" proxtop 2>&1 || true'),
      /no packages found/,
    );
  });
});
