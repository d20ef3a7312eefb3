// Records of an interval against what Python makes of each single sample, on a host with VMs that work.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Lab, missingForLab } from '../lab/lab.ts';
import { EVERYTHING, proxtop } from './program.ts';

const interpreter = '/usr/bin/python3';
const python = spawnSync(interpreter, ['-c', 'import msgpack']).status === 0;
const missing = [...missingForLab(), ...(python ? [] : ['python3-msgpack'])];
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;

/** Prints how many numbers agree, and those that do not, relative to their size. */
const compare = `
import json, msgpack, sys
def read(path):
    unpacker = msgpack.Unpacker(open(path, 'rb'), raw=False, strict_map_key=True)
    return list(unpacker)
singles, means = read(sys.argv[1]), read(sys.argv[2])
metrics = {(m['scope'], m['id']): m for m in json.load(open(sys.argv[3]))}
parts = {'vcpus': 'vm_vcpu', 'disks': 'vm_disk', 'nics': 'vm_nic'}
over = {'disk_lat_rd': ['disk_reads'], 'disk_lat_wr': ['disk_writes'], 'disk_lat_fl': ['disk_flushes'],
        'disk_lat_avg': ['disk_reads', 'disk_writes', 'disk_flushes'],
        'disk_davg_rd': ['disk_reads'], 'disk_davg_wr': ['disk_writes'],
        'disk_kavg_rd': ['disk_reads'], 'disk_kavg_wr': ['disk_writes'],
        'disk_await': ['disk_reads', 'disk_writes'], 'disk_service_time': ['disk_reads', 'disk_writes'],
        'net_rx_drop_percent': ['net_rx_packets', 'net_rx_dropped'],
        'net_tx_drop_percent': ['net_tx_packets', 'net_tx_dropped']}
wrong, right, peaks = [], 0, 0
def check(scope, mean, singles, seconds):
    global right, peaks
    for id, value in mean.items():
        metric = metrics.get((scope, id))
        if not isinstance(value, (int, float)) or metric is None: continue
        known = [(s[id], t * (sum(s.get(o, 0) for o in over[id]) if id in over else 1))
                 for s, t in zip(singles, seconds) if id in s]
        if metric['kind'] == 'gauge': expected = singles[-1].get(id)
        else: expected = sum(v * w for v, w in known) / sum(w for v, w in known)
        if expected is None or abs(value - expected) > 1e-9 * max(1, abs(expected)): wrong.append((scope, id, value, expected))
        else: right += 1
        if id + '_peak' in mean:
            if mean[id + '_peak'] != max(v for v, w in known): wrong.append((scope, id, 'peak'))
            peaks += 1
for mean in means:
    own = [s for s in singles if s['seq'] <= mean['seq']]
    singles = singles[len(own):]
    seconds = [s['interval'] for s in own]
    if abs(mean['interval'] - sum(seconds)) > 1e-9: wrong.append(('interval', mean['interval'], sum(seconds)))
    check('host', mean['host'], [s['host'] for s in own], seconds)
    for vm in mean['domains']:
        rows = [next((d for d in s['domains'] if d['pid'] == vm['pid']), None) for s in own]
        pairs = [(r, t) for r, t in zip(rows, seconds) if r is not None]
        check('vm', vm, [r for r, t in pairs], [t for r, t in pairs])
        for name, scope in parts.items():
            for part in vm[name]:
                each = [(next((p for p in r[name] if p['device'] == part['device']), None), t) for r, t in pairs]
                each = [(p, t) for p, t in each if p is not None]
                check(scope, part, [p for p, t in each], [t for p, t in each])
print(json.dumps({'records': len(means), 'right': right, 'peaks': peaks, 'wrong': wrong[:20]}))
`;

test('means, levels and peaks of an interval are those of its samples', { skip }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-interval-'));
  const lab = Lab.create();
  t.after(async () => {
    await lab.close();
    rmSync(directory, { recursive: true });
  });
  await Promise.all([
    lab.run({ guest: 'spin', load: 4, cores: 2 }),
    lab.run({ guest: 'disk', load: 4, disks: [{ interface: 'scsi', size: 16 << 20, shape: 'blockdev' }] }),
  ]);
  const [singles, means] = [join(directory, 'singles'), join(directory, 'means')];
  const file = join(directory, 'proxtop.conf');
  const output = 'type = file\nprinter = msgpack\nverbose = true\ndevices = true\n';
  writeFileSync(
    file,
    `[output.singles]\n${output}target = ${singles}\n` +
      `[output.means]\n${output}target = ${means}\ninterval = 2\nmaxima = true\n`,
  );
  const flags = ['--frequency=0.5', '--detail-interval=1', '--runs=14', '--config', file];
  const { code, stderr } = await proxtop([...lab.flags(), ...EVERYTHING, ...flags]);
  assert.equal(code, 0, stderr);
  const list = join(directory, 'metrics.json');
  writeFileSync(list, (await proxtop(['--list-metrics=json'])).stdout);
  const result = execFileSync(interpreter, ['-c', compare, singles, means, list], { encoding: 'utf8' });
  const { records, right, peaks, wrong } = JSON.parse(result) as Record<string, number | unknown[]>;
  t.diagnostic(result.trim());
  assert.deepEqual(wrong, []);
  assert.ok(Number(records) >= 2 && Number(right) > 200 && Number(peaks) > 50, result);
});
