/**
 * Takes the pictures of the terminal view for the README: real VMs with load, beside them a real container where LXC can
 * start one, the real program in a real terminal (tmux), its screen as SVG. Run as root: make screenshots.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROXTOP } from '../test/e2e/program.ts';
import { Lab } from '../test/lab/lab.ts';
import { PlainContainer, missingForContainer } from '../test/lab/plain-container.ts';
import type { LabVm, VmSpec } from '../test/lab/vm.ts';
import { Pane } from '../test/tui/pane.ts';
import { terminalSvg } from './terminal-svg.ts';

const MIB = 2 ** 20;
const COLUMNS = 110;
const ROWS = 22;
/** ms until sparklines have something to show. */
const HISTORY = 75_000;
const TRAFFIC_BEAT = 250;
/** What the container does, for the shell of busybox. */
const CONTAINER_LOAD =
  'while :; do i=0; while [ $i -lt 60000 ]; do i=$((i + 1)); done; busybox sleep 0.2; done';
const images = new URL('images/', import.meta.url);

const disk = { interface: 'scsi', size: 512 * MIB, shape: 'blockdev' } as const;
const nic = { model: 'rtl8139' } as const;
const vms: readonly VmSpec[] = [
  { vmid: 101, name: 'ci-runner', guest: 'spin', load: 8, cores: 2, memory: 256 },
  { vmid: 102, name: 'postgres-main', guest: 'disk', load: 6, disks: [disk, disk], nics: [nic], memory: 128 },
  { vmid: 103, name: 'web-frontend', guest: 'spin', load: 6, nics: [nic], disks: [disk] },
  { vmid: 104, name: 'mail', guest: 'idle', nics: [nic], disks: [disk] },
  { vmid: 105, name: 'backup', guest: 'disk', load: 2, disks: [disk] },
  { vmid: 106, name: 'zürich-dns', guest: 'spin', load: 4 },
  { vmid: 107, name: 'template-test', guest: 'paused', cores: 4 },
];

/** Frames to and from two VMs, now more and now less. */
async function traffic(lab: Lab, targets: readonly LabVm[], end: AbortSignal): Promise<void> {
  for (let beat = 0; !end.aborted; beat++) {
    const frames = Math.round(20 + 15 * Math.sin(beat / 12));
    for (const vm of targets) {
      await lab.sendToTap(vm, frames, 1000);
      await lab.sendFromGuest(vm, Math.round(frames / 2), 1000);
    }
    await sleep(TRAFFIC_BEAT, undefined, { signal: end }).catch(() => undefined);
  }
}

function take(pane: Pane, name: string): void {
  writeFileSync(new URL(`${name}.svg`, images), terminalSvg(pane.coloured, COLUMNS));
  process.stdout.write(`docs/images/${name}.svg\n`);
}

const lab = Lab.create();
const home = mkdtempSync(join(tmpdir(), 'proxtop-home-'));
const end = new AbortController();
let pane: Pane | undefined;
let container: PlainContainer | undefined;
try {
  mkdirSync(images, { recursive: true });
  const running: LabVm[] = [];
  for (const spec of vms) running.push(await lab.run(spec));
  const missing = missingForContainer();
  if (missing.length > 0) process.stdout.write(`no container is shown: it needs ${missing.join(', ')}\n`);
  else container = await PlainContainer.start(lab.root, lab.roots.cgroupfs, 'git-cache', CONTAINER_LOAD);
  const sending = traffic(lab, running.filter(({ nics }) => nics.length > 0).slice(1), end.signal);
  pane = await Pane.open(COLUMNS, ROWS, { HOME: home });
  pane.type(`${PROXTOP} --proxmox ${lab.flags().join(' ')}`);
  await pane.shows('ci-runner');
  await sleep(HISTORY);
  take(pane, 'all');
  pane.press('c', 'R', 'e');
  await pane.shows('other threads');
  take(pane, 'cpu');
  pane.press('w');
  await pane.shows('What usually causes it');
  take(pane, 'why');
  pane.press('q', 'b');
  await pane.shows('Taking most');
  take(pane, 'blame');
  pane.press('q', 'V');
  pane.type('postgres');
  await pane.shows('filter postgres');
  pane.press('Enter');
  await pane.shows('Last two minutes');
  take(pane, 'vm');
  pane.press('q', 'Escape', 'a', '{');
  await pane.shows('PAUSED');
  take(pane, 'paused');
  end.abort();
  await sending;
} finally {
  end.abort();
  pane?.close();
  await container?.stop();
  rmSync(home, { recursive: true });
  await lab.close();
}
