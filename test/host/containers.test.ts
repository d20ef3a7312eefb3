import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { Cycle, Row } from '../e2e/program.ts';
import { device, domain, num } from '../e2e/program.ts';
import { LineReceiver } from '../lab/receiver.ts';
import { HostContainer, memoryLimit, vmid } from './containers.ts';
import { hostAddress, Machine } from './machine.ts';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
/** ms; what takes a second elsewhere takes ten in an emulator, and more beside other work. */
const WAIT = 240_000;
const MIB = 2 ** 20;

let machine: Machine;
let container: HostContainer;
let receiver: LineReceiver;

/** The row of the container in the first cycle from now on in which it is as wanted. */
async function next(what: string, wanted: (row: Row) => boolean = () => true): Promise<Row> {
  const late = AbortSignal.timeout(WAIT);
  const missed = new Promise<never>((_, reject) => {
    late.addEventListener('abort', () => {
      reject(new Error(`${what}: not within ${WAIT} ms; the last line: ${receiver.lines.at(-1) ?? 'none'}`));
    });
  });
  const rowOf = (line: string): Row | undefined => domain(JSON.parse(line) as Cycle, { vmid });
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
    await container.task(
      'write',
      'for i in $(seq 8); do dd if=/dev/zero of=/file bs=1048576 count=1 conv=fsync 2>/dev/null; sleep 1; done; rm /file',
    );
    let bytes = 0;
    let seen: Row | undefined;
    const file = `/sys/fs/cgroup/lxc/${vmid}/io.stat`;
    const read = (): Promise<string> => machine.run(`cat ${file}`);
    const start = await read();
    const end = Date.now() + 60_000;
    while (bytes < 7.5 * MIB && Date.now() < end) {
      seen = await next('a cycle');
      bytes += num(seen, 'disk_write_mib') * MIB * 2;
    }
    const finish = await read();
    const root = device(seen?.disks ?? [], 'rootfs');
    assert.ok(root !== undefined && 'disk_write_mib' in root, JSON.stringify(seen?.disks));
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
    await container.stop();
    const gone = await receiver.next((line) => (JSON.parse(line) as Cycle).domains.length === 0);
    assert.ok(gone.length > 0);
    await container.start();
    const again = await next('it started again', (each) => each['pid'] !== before['pid']);
    assert.ok(num(again, 'uptime') < num(before, 'uptime') + 60);
  });
});
