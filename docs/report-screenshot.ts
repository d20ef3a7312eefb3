/**
 * Takes the picture of a report for the README: real VMs with load that changes, a history of some minutes, and the report of it in
 * a real browser. Run as root: node --import tsx docs/report-screenshot.ts; make screenshots does so. KEEP names a directory in
 * which history and report are left.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { proxtop, PROXTOP } from '../test/e2e/program.ts';
import { Lab } from '../test/lab/lab.ts';
import type { LabVm, VmSpec } from '../test/lab/vm.ts';
import { openBrowser } from '../test/report/browser.ts';

const MIB = 2 ** 20;
/** ms of each part of the story: calm, crowded, calm. */
const PART = 100_000;

const disk = { interface: 'scsi', size: 256 * MIB, shape: 'blockdev' } as const;
const nic = { model: 'rtl8139' } as const;
const calm: readonly VmSpec[] = [
  { vmid: 102, name: 'postgres-main', guest: 'disk', load: 4, disks: [disk], nics: [nic], memory: 128 },
  { vmid: 103, name: 'web-frontend', guest: 'spin', load: 3, nics: [nic] },
  { vmid: 104, name: 'mail', guest: 'idle', nics: [nic] },
  { vmid: 106, name: 'zürich-dns', guest: 'spin', load: 1 },
];
const crowd: readonly VmSpec[] = [
  { vmid: 101, name: 'ci-runner', guest: 'spin', load: 8, cores: 2 },
  { vmid: 105, name: 'backup', guest: 'disk', load: 6, disks: [disk] },
];

const lab = Lab.create();
const directory = mkdtempSync(join(tmpdir(), 'proxtop-report-'));
const state = join(directory, 'state');
try {
  for (const spec of calm) await lab.run(spec);
  const flags = ['--proxmox', ...lab.flags(), '--history', '--state-dir', state, '-p', 'json'];
  const env = { ...process.env, PROXTOP_HISTORY_INTERVAL: '1' };
  const program = spawn(PROXTOP, flags, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  await sleep(PART);
  const crowded: LabVm[] = [];
  for (const spec of crowd) crowded.push(await lab.run(spec));
  await sleep(PART);
  for (const vm of crowded) await lab.kill(vm);
  await sleep(PART / 2);
  program.kill('SIGTERM');
  await once(program, 'close');
  const file = join(directory, 'report.html');
  const { stderr, code } = await proxtop(['report', join(state, 'history'), '-o', file]);
  process.stdout.write(stderr);
  if (code !== 0) throw new Error('no report');
  const { KEEP } = process.env;
  if (KEEP !== undefined) {
    mkdirSync(KEEP, { recursive: true });
    cpSync(directory, KEEP, { recursive: true });
  }
  const browser = await openBrowser();
  const page = await browser.newPage({ viewport: { width: 1240, height: 1180 } });
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('html[data-ready]');
  await page.screenshot({ path: fileURLToPath(new URL('images/report.png', import.meta.url)) });
  process.stdout.write('docs/images/report.png\n');
  await browser.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
  await lab.close();
}
