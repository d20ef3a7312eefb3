import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EVERYTHING, proxtop } from '../e2e/program.ts';
import { Lab, missingForLab } from '../lab/lab.ts';
import { installed } from '../delivery/daemon.ts';
import { directory, freePort, until } from '../delivery/helpers.ts';

const shipped = new URL('../../docs/integrations/rsyslog/proxtop.conf', import.meta.url);
const missing = [...missingForLab(), ...(installed('rsyslogd') ? [] : ['rsyslogd (Debian package rsyslog)'])];
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;

test(
  'the shipped configuration of rsyslog writes every line, and those of VMs apart',
  { skip },
  async (t) => {
    const lab = Lab.create();
    t.after(() => lab.close());
    await lab.run({ guest: 'idle' });
    const path = directory(t);
    const port = await freePort();
    const config = readFileSync(shipped, 'utf8')
      .replaceAll('/var/log/', `${path}/`)
      .replace('port="12345"', `port="${port}" address="127.0.0.1"`);
    writeFileSync(join(path, 'rsyslog.conf'), config);
    const args = ['-n', '-f', join(path, 'rsyslog.conf'), '-i', join(path, 'pid')];
    const rsyslog = spawn('rsyslogd', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    rsyslog.stderr.on('data', (data: Buffer) => (complaints += data.toString()));
    const ended = once(rsyslog, 'exit');
    t.after(async () => {
      rsyslog.kill('SIGKILL');
      await ended;
    });
    await until(() => existsSync(join(path, 'pid')), `it runs: ${complaints}`);

    const delivery = ['--output=tcp', `--target=127.0.0.1:${port}`, '--printer=json', '--layout=event'];
    const { code, stderr } = await proxtop([
      ...lab.flags(),
      '--proxmox',
      '--runs=3',
      '--frequency=0.2',
      ...EVERYTHING,
      ...delivery,
    ]);
    assert.equal(code, 0, stderr);
    const lines = (file: string): string[] =>
      existsSync(join(path, file)) ? readFileSync(join(path, file), 'utf8').split('\n').slice(0, -1) : [];
    const rows = (file: string): { type: string; event_id: string; seq: number }[] =>
      lines(file).map((line) => JSON.parse(line) as { type: string; event_id: string; seq: number });
    await until(
      () => rows('proxtop.json').some(({ seq, type }) => seq === 3 && type === 'agent_output'),
      'all lines are there',
    );
    const all = rows('proxtop.json');
    assert.equal(new Set(all.map(({ event_id }) => event_id)).size, all.length);
    assert.equal(all.filter(({ type }) => type === 'host').length, 3);
    const ofVms = all.filter(({ type }) => type === 'vm').map(({ event_id }) => event_id);
    assert.equal(ofVms.length, 3);
    assert.deepEqual(
      rows('proxtop-vms.json').map(({ event_id }) => event_id),
      ofVms,
    );
    assert.equal(complaints, '');
  },
);
