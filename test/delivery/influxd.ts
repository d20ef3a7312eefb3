import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Daemon, installed } from './daemon.ts';
import { directory, freePort } from './helpers.ts';

// Debian's InfluxDB 1.6.
export const noInflux = !installed('influxd') && 'no influxd';

/** A server of the test's own, with the database p. */
export class Influx {
  readonly daemon: Daemon;
  readonly url: string;

  private constructor(t: TestContext, path: string, port: number, config: string, rpc: number) {
    this.url = `http://127.0.0.1:${port}`;
    writeFileSync(
      join(path, 'influxdb.conf'),
      `reporting-disabled = true\nbind-address = "127.0.0.1:${rpc}"\n[meta]\ndir = "${path}/meta"\n` +
        `[data]\ndir = "${path}/data"\nwal-dir = "${path}/wal"\n[monitor]\nstore-enabled = false\n` +
        `[http]\nbind-address = "127.0.0.1:${port}"\nlog-enabled = false\n${config}\n`,
    );
    this.daemon = new Daemon(
      t,
      'influxd',
      ['run', '-config', join(path, 'influxdb.conf')],
      `${this.url}/ping`,
    );
  }

  static async start(t: TestContext, config = ''): Promise<Influx> {
    const server = new Influx(t, directory(t), await freePort(), config, await freePort());
    await server.daemon.start();
    return server;
  }

  get write(): string {
    return `${this.url}/write?db=p`;
  }

  /** The rows of a query's answer, each as an object. */
  async query(q: string, access = ''): Promise<Record<string, unknown>[]> {
    const body = new URLSearchParams({ q, db: 'p', epoch: 'ns' });
    const response = await fetch(`${this.url}/query?${access}`, { method: 'POST', body });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    interface Series {
      readonly name: string;
      readonly columns: readonly string[];
      readonly values: readonly unknown[][];
    }
    const { results } = JSON.parse(text) as { results: { series?: Series[]; error?: string }[] };
    assert.equal(results[0]?.error, undefined);
    return (results[0]?.series ?? []).flatMap(({ name, columns, values }) =>
      values.map((cells) => ({
        measurement: name,
        ...Object.fromEntries(columns.map((column, index) => [column, cells[index]])),
      })),
    );
  }
}
