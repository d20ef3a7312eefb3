import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { Cycle, Row } from '../e2e/program.ts';
import { device, domain, num } from '../e2e/program.ts';
import { LineReceiver } from '../lab/receiver.ts';
import { HostContainer, memoryLimit, vmid } from './containers.ts';
import { startKind, startNspawn, startUnit, unprivileged, withSystemd } from './container-kinds.ts';
import { hostAddress, Machine } from './machine.ts';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
/** ms; what takes a second elsewhere takes ten in an emulator, and more beside other work. */
const WAIT = 240_000;
const MIB = 2 ** 20;

let machine: Machine;
let container: HostContainer;
let receiver: LineReceiver;

/** The row of a container of Proxmox VE, by its vmid, or of another one, by its name. */
function rowIn(cycle: Cycle, which: number | string): Row | undefined {
  if (typeof which === 'number') return domain(cycle, { vmid: which });
  return cycle.domains.find(({ name }) => name === which);
}

/** Resolves with the first cycle from now on in which a container is not there. */
async function gone(which: number | string): Promise<void> {
  await receiver.next((line) => rowIn(JSON.parse(line) as Cycle, which) === undefined);
}

/** The row of a container, of Proxmox VE by its vmid, in the first cycle from now on in which it is as wanted. */
async function next(
  what: string,
  wanted: (row: Row) => boolean = () => true,
  which: number | string = vmid,
): Promise<Row> {
  const late = AbortSignal.timeout(WAIT);
  const missed = new Promise<never>((_, reject) => {
    late.addEventListener('abort', () => {
      reject(new Error(`${what}: not within ${WAIT} ms; the last line: ${receiver.lines.at(-1) ?? 'none'}`));
    });
  });
  const rowOf = (line: string): Row | undefined => rowIn(JSON.parse(line) as Cycle, which);
  const line = await Promise.race([
    receiver.next((each) => {
      const row = rowOf(each);
      return row !== undefined && wanted(row);
    }),
    missed,
  ]);
  return rowOf(line) as Row;
}

describe('a container of Proxmox VE on a Debian 13 host', () => {
  before(async () => {
    machine = await Machine.boot();
    receiver = await LineReceiver.create();
    container = new HostContainer(machine);
    await container.install();
    await machine.run(
      'mkdir -p /opt/proxtop && tar -x -C /opt/proxtop',
      execFileSync('tar', ['-c', '-C', DIST, '.'], { maxBuffer: 64 * MIB }),
    );
    await container.start();
    await machine.run(
      `systemd-run -q --unit=measure -p StandardError=journal /opt/proxtop/proxtop --containers \\
        --cpu --mem --disk --net --io --pressure --host --verbose --devices --frequency=2 \\
        --printer=json --output=tcp --target=${hostAddress}:${receiver.port}`,
    );
  });

  after(async () => {
    await machine.close();
    await receiver.kill();
  });

  test('it is named and limited as Proxmox VE says, and its root is the volume', async () => {
    const row = await next(
      'a row with its configuration',
      (each) => each['name'] === 'web' && 'disk_root_size' in each,
    );
    const init = await machine.run(`lxc-info -n ${vmid} -pH`);
    assert.deepEqual(
      [row['guest_type'], row['UUID'], row['pid'], row['state'], row['tags']],
      ['lxc', `proxmox-${vmid}`, init, 'running', 'prod'],
    );
    assert.equal(num(row, 'ram_limit'), memoryLimit);
    assert.equal(num(row, 'cpu_limit'), 0.2);
    assert.equal(num(row, 'disk_capacity'), 96 * MIB);
    const df = await machine.run(`df -B1 --output=size,used /var/lib/lxc/${vmid}/rootfs | tail -n 1`);
    const [size, used] = df.trim().split(/\s+/).map(Number);
    assert.equal(num(row, 'disk_root_size'), size);
    assert.ok(
      Math.abs(num(row, 'disk_root_used') - (used ?? NaN)) < MIB,
      `${df} ${num(row, 'disk_root_used')}`,
    );
    assert.ok(num(row, 'uptime') > 0);
    assert.ok(!('cpu_steal' in row), 'nothing tells it');
  });

  test('CPU: it uses its limit, is held back, and shows pressure', async () => {
    await container.task('spin', 'i=0; while [ $i -lt 2000000 ]; do i=$((i + 1)); done');
    const row = await next(
      'it at its limit',
      (each) => Number(each['cpu_limit_used']) > 90 && Number(each['psi_some_cpu_avg10']) > 5,
    );
    const [cores, total] = [num(row, 'cpu_cores'), num(row, 'cpu_total')];
    assert.ok(
      Math.abs((total / 100) * cores - 0.2) < 0.04,
      `${total} % of ${cores} CPUs, where 0.2 are allowed`,
    );
    assert.ok(num(row, 'cpu_throttled') > 20);
    const before = await container.counter('cpu.stat', 'usage_usec');
    const first = performance.now();
    const shown = await next('another cycle');
    const used =
      ((await container.counter('cpu.stat', 'usage_usec')) - before) / 1000 / (performance.now() - first);
    assert.ok(used < 0.3 && num(shown, 'cpu_total') > 0, `awk on cpu.stat: ${used} CPUs`);
    await machine.run(
      `for p in $(cat /sys/fs/cgroup/lxc/${vmid}/ns/cgroup.procs); do grep -q spin /proc/$p/cmdline && kill -9 $p; done; true`,
    );
  });

  test('disk: what it writes counts once, for the volume and not for its disk too', async () => {
    await next('a quiet cycle', (each) => Number(each['disk_writes']) === 0);
    const from = receiver.lines.length;
    await container.task(
      'write',
      'for i in $(seq 8); do dd if=/dev/zero of=/file bs=1048576 count=1 conv=fsync 2>/dev/null; sleep 1; done; rm /file',
    );
    const file = `/sys/fs/cgroup/lxc/${vmid}/io.stat`;
    const read = (): Promise<string> => machine.run(`cat ${file}`);
    const start = await read();
    const seenBytes = (): number =>
      receiver.lines
        .slice(from)
        .map((line) => rowIn(JSON.parse(line) as Cycle, vmid))
        .reduce((sum, row) => sum + (row === undefined ? 0 : num(row, 'disk_write_mib') * MIB * 2), 0);
    const seen = await next('8 MiB written', () => seenBytes() > 7.5 * MIB);
    const bytes = seenBytes();
    const finish = await read();
    const root = device(seen.disks ?? [], 'rootfs');
    assert.ok(root !== undefined && 'disk_write_mib' in root, JSON.stringify(seen.disks));
    // Both the volume and its disk are charged with the same bytes.
    const written = (text: string): number[] =>
      [...text.matchAll(/wbytes=(\d+)/g)].map(([, count]) => Number(count));
    const [one = 0, other = 0] = written(finish);
    assert.ok(written(finish).length >= 2 && Math.abs(one - other) <= 4 * MIB, `${start}\n${finish}`);
    assert.ok(bytes > 7 * MIB && bytes < 14 * MIB, `${bytes / MIB} MiB seen of 8 and a journal`);
  });

  test('memory: used without caches, as Proxmox VE computes it; killed at the limit', async () => {
    const row = await next('a cycle', (each) => 'ram_used' in each);
    const expected =
      (await container.counter('memory.current')) - (await container.counter('memory.stat', 'file'));
    assert.ok(Math.abs(num(row, 'ram_used') - expected) < 4 * MIB, `${num(row, 'ram_used')} and ${expected}`);
    assert.ok(num(row, 'ram_cache') > 0);
    const kills = await container.counter('memory.events', 'oom_kill');
    // The cycle that shows it may come while the command still returns.
    const [killed] = await Promise.all([
      next('a kill', (each) => Number(each['ram_oom_kills']) > 0),
      container.task('grow', 'tail -c 200000000 /dev/zero >/dev/null'),
    ]);
    assert.ok(num(killed, 'ram_cgroup') <= memoryLimit);
    assert.ok((await container.counter('memory.events', 'oom_kill')) > kills);
  });

  test('network: directions are those of the container', async () => {
    const stats = (name: string): Promise<string> =>
      machine.run(`cat /sys/class/net/veth${vmid}i0/statistics/${name}`);
    const [received, sent] = [Number(await stats('tx_bytes')), Number(await stats('rx_bytes'))];
    // Nobody has this address: the datagrams go one way.
    const send = `const socket = require("node:dgram").createSocket("udp4");
      for (let i = 0; i < 50; i++) socket.send(Buffer.alloc(1000), 9, "10.9.0.77", () => i === 49 && socket.close());`;
    const [row] = await Promise.all([
      next('traffic', (each) => Number(each['net_rx_bytes']) > 5000),
      machine.run(
        `ip neigh replace 10.9.0.77 lladdr 02:00:00:00:00:99 dev veth${vmid}i0 && node -e '${send}'`,
      ),
    ]);
    assert.equal(row.nics?.[0]?.['device'], `veth${vmid}i0`);
    const [toIt, fromIt] = [
      Number(await stats('tx_bytes')) - received,
      Number(await stats('rx_bytes')) - sent,
    ];
    assert.ok(toIt > fromIt, `${toIt} to it, ${fromIt} from it`);
    assert.ok(num(row, 'net_rx_bytes') >= num(row, 'net_tx_bytes'), JSON.stringify(row.nics));
  });

  test('frozen, stopped by force, and started again', async () => {
    const before = await next('a cycle');
    await machine.run(`lxc-freeze -n ${vmid}`);
    const frozen = await next('it frozen', (each) => each['state'] === 'frozen');
    assert.equal(frozen['pid'], before['pid']);
    await machine.run(`lxc-unfreeze -n ${vmid}`);
    await next('it running again', (each) => each['state'] === 'running');
    await Promise.all([gone(vmid), container.stop()]);
    const [again] = await Promise.all([
      next('it started again', (each) => each['pid'] !== before['pid']),
      container.start(),
    ]);
    assert.ok(num(again, 'uptime') < num(before, 'uptime') + 60);
  });

  test('the values are those of systemd-cgtop', async () => {
    await container.task('spin', 'while :; do :; done');
    // It has just been started, which takes as much for a moment.
    let steady = 0;
    await next('it at its limit for a while', (each) => {
      steady = Number(each['cpu_limit_used']) > 90 ? steady + 1 : 0;
      return steady === 4;
    });
    const from = receiver.lines.length;
    const top = await machine.run('systemd-cgtop -b -n 2 -d 6 --raw /lxc');
    await next('a cycle after it');
    const rows = receiver.lines.slice(from).map((line) => rowIn(JSON.parse(line) as Cycle, vmid));
    const line = top.split('\n').findLast((each) => each.split(/\s+/)[0] === `/lxc/${vmid}`);
    const [, tasks = NaN, percent = NaN, memory = NaN] = (line ?? '').split(/\s+/).map(Number);
    const mean = (id: string): number =>
      rows.reduce((sum, each) => sum + num(each, id), 0) / Math.max(1, rows.length);
    assert.ok(Math.abs(mean('cpu_used') * 100 - percent) < 4, `${mean('cpu_used')} CPUs, ${top}`);
    assert.ok(Math.abs(mean('ram_cgroup') - memory) < 4 * MIB, `${mean('ram_cgroup')} bytes, ${top}`);
    assert.ok(
      rows.some((each) => num(each, 'cpu_tasks') === tasks),
      `${rows.map((each) => num(each, 'cpu_tasks')).join()} tasks, ${top}`,
    );
    await Promise.all([gone(vmid), container.stop()]);
  });

  test('an unprivileged one: its users are others, its values the same; stopped by force and started again', async () => {
    const appears = next('it', (each) => each['name'] === 'mapped' && 'ram_used' in each, unprivileged.vmid);
    const [row] = await Promise.all([appears, startKind(machine, unprivileged)]);
    const pid = await machine.run(`lxc-info -n ${unprivileged.vmid} -pH`);
    assert.deepEqual([row['guest_type'], row['pid'], row['state']], ['lxc', pid, 'running']);
    assert.match(await machine.run(`grep ^Uid /proc/${pid}/status`), /^Uid:\t100000\t/);
    assert.ok(num(row, 'ram_used') > 0 && num(row, 'cpu_tasks') > 0);
    assert.ok(!('disk_root_size' in row), 'its root is a directory of the host');
    await Promise.all([gone(unprivileged.vmid), machine.run(`lxc-stop -n ${unprivileged.vmid} -k`)]);
    const [again] = await Promise.all([
      next('it started again', (each) => each['pid'] !== pid, unprivileged.vmid),
      startUnit(machine, unprivileged.vmid),
    ]);
    assert.ok(num(again, 'uptime') < num(row, 'uptime') + 60);
    await Promise.all([gone(unprivileged.vmid), machine.run(`lxc-stop -n ${unprivileged.vmid} -k`)]);
  });

  test('one with systemd inside: its units are its own, counted in it and never shown', async () => {
    const { vmid: inside } = withSystemd;
    const group = `/sys/fs/cgroup/lxc/${inside}`;
    const appears = next('it', (each) => each['name'] === 'inside', inside);
    const [row] = await Promise.all([appears, startKind(machine, withSystemd)]);
    assert.equal(row['pid'], await machine.run(`lxc-info -n ${inside} -pH`));
    await machine.run(
      `timeout 240 sh -c 'until [ -d ${group}/ns/system.slice/dbus.socket ] || ls -d ${group}/ns/system.slice/*.service; do sleep 1; done'
      mkdir ${group}/ns/lxc.payload.evil ${group}/ns/machine.slice ${group}/ns/machine.slice/machine-evil.scope`,
    );
    assert.match(await machine.run(`cat /proc/${row['pid']}/cgroup`), /^0::\/lxc\/903\/ns\/init.scope$/m);
    const tasks = Number(await machine.run(`cat ${group}/pids.current`));
    const line = await receiver.next();
    const cycle = JSON.parse(line) as Cycle;
    const others = cycle.domains.filter(({ name }) => name !== 'inside').map(({ name }) => name);
    assert.ok(
      others.every((name) => name === 'web'),
      line,
    );
    assert.doesNotMatch(line, /evil|system\.slice|init\.scope/);
    assert.ok(tasks > 1 && num(rowIn(cycle, inside), 'cpu_tasks') > 1, `${tasks} tasks`);
    await Promise.all([gone(inside), machine.run(`lxc-stop -n ${inside} -k`)]);
  });

  test('one of systemd-nspawn', async () => {
    const appears = next('it', (each) => 'ram_used' in each && 'net_interfaces' in each, 'box');
    const [row] = await Promise.all([appears, startNspawn(machine)]);
    const leader = await machine.run('machinectl show box -p Leader --value');
    assert.deepEqual(
      [row['guest_type'], row['UUID'], row['vmid'], row['pid']],
      ['nspawn', 'nspawn-box', undefined, leader],
    );
    assert.equal(row['net_interfaces'], 'host0');
    await Promise.all([gone('box'), machine.run('machinectl terminate box')]);
  });
});
