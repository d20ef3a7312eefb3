import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { PROXTOP, Program } from '../e2e/program.ts';
import { Lab } from '../lab/lab.ts';
import type { LabVm } from '../lab/vm.ts';
import { Daemon } from '../delivery/daemon.ts';
import { directory, freePort } from '../delivery/helpers.ts';
import { Influx } from '../delivery/influxd.ts';

const MIB = 2 ** 20;

/** One sample of an instant query. */
export interface PromSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, text: string];
}

/** A real Prometheus that scrapes one endpoint each second. */
export class Prometheus {
  readonly url: string;
  readonly daemon: Daemon;

  constructor(t: TestContext, port: number, target: string) {
    this.url = `http://127.0.0.1:${port}`;
    const path = directory(t);
    const job = { job_name: 'proxtop', scrape_interval: '1s', static_configs: [{ targets: [target] }] };
    writeFileSync(join(path, 'prometheus.yml'), JSON.stringify({ scrape_configs: [job] }));
    const args = [
      `--config.file=${path}/prometheus.yml`,
      `--storage.tsdb.path=${path}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    this.daemon = new Daemon(t, 'prometheus', args, `${this.url}/-/ready`);
  }

  /** What an instant query gives. @throws Error with Prometheus's words for a query that is wrong */
  async query(query: string, time?: number): Promise<readonly PromSample[]> {
    const body = new URLSearchParams({ query, ...(time !== undefined && { time: String(time) }) });
    const response = await fetch(`${this.url}/api/v1/query`, { method: 'POST', body });
    const answer = (await response.json()) as { error?: string; data?: { result: PromSample[] } };
    if (answer.data === undefined) throw new Error(`${query}: ${answer.error ?? ''}`);
    return answer.data.result;
  }

  /** Metadata of every metric it scraped. */
  async metadata(): Promise<Readonly<Record<string, readonly { type: string }[]>>> {
    const response = await fetch(`${this.url}/api/v1/metadata`);
    return ((await response.json()) as { data: Record<string, { type: string }[]> }).data;
  }
}

/** A monitored lab: VMs with loads, proxtop, and databases that hold what it measured. */
export interface Monitoring {
  readonly lab: Lab;
  readonly vms: { readonly busy: LabVm; readonly data: LabVm; readonly web: LabVm };
  readonly prometheus: Prometheus;
  readonly influx: Influx;
  /** Writes JSON lines, one a sample. */
  readonly proxtop: Program;
}

/** Starts all of it. */
export async function startMonitoring(t: TestContext): Promise<Monitoring> {
  const lab = Lab.create();
  t.after(() => lab.close());
  const disks = [{ interface: 'scsi', size: 64 * MIB, shape: 'blockdev' }] as const;
  const vms = {
    busy: await lab.run({ name: 'busy', guest: 'spin', load: 3 }),
    data: await lab.run({ name: 'data', guest: 'disk', load: 2, disks }),
    web: await lab.run({ name: 'web', guest: 'idle', nics: [{ model: 'rtl8139' }] }),
  };
  const influx = await Influx.start(t);
  await influx.query('CREATE DATABASE p');
  const port = await freePort();
  const prometheus = new Prometheus(t, await freePort(), `127.0.0.1:${port}`);
  await prometheus.daemon.start();
  const config = join(directory(t), 'proxtop.conf');
  writeFileSync(
    config,
    `collectors = cpu, mem, disk, net, io, pressure, host
verbose = true
devices = true
detail_interval = 1
[output.stream]
type = stdout
printer = json
[output.prometheus]
listen = 127.0.0.1:${port}
[output.influx]
type = http
target = ${influx.write}
printer = influx
`,
  );
  const args = ['--proxmox', ...lab.flags(), '--config', config];
  const proxtop = new Program(spawn(PROXTOP, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
  t.after(() => proxtop.stop());
  return { lab, vms, prometheus, influx, proxtop };
}
