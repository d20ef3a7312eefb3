/**
 * What profiling costs: 200 VMs in one process, CPU of the cycles by the kernel's account. Run: npx tsx bench/profiler.ts [VMS]
 *
 * Each case runs ten minutes of samples, one a second, without waiting; lines are printed every 60 of them, and that is
 * counted. `likeliness` is the other use: each sample judged against a profile of each VM.
 */
import { TargetRows } from '../src/collectors/device-rows.ts';
import { columns } from '../src/catalogue/catalogue.ts';
import { Row } from '../src/catalogue/row.ts';
import type { Printer } from '../src/formats/printer.ts';
import { LikelinessCollector } from '../src/profiler/likeliness-collector.ts';
import type { Profile } from '../src/profiler/profile.ts';
import { ProfilePrinter } from '../src/profiler/profile-printer.ts';
import { Profiler } from '../src/profiler/profiler.ts';
import { ProfileSet } from '../src/profiler/read/read-profiles.ts';
import type { ProfileSettings, ProfilerSettings } from '../src/profiler/settings.ts';
import { inputNames } from '../src/profiler/settings.ts';
import type { Sample } from '../src/sampling/sample.ts';
import { Target } from '../src/sampling/targets.ts';
import { testVm } from '../test/collectors/support.ts';
import { compareParts } from './compare.ts';

const CYCLES = 600;
const count = Number(process.argv[2] ?? 200);

const usual: ProfileSettings = {
  states: 4,
  buffersize: 10,
  history: 1,
  filterStdDevs: -1,
  fixedBound: false,
  periodSize: [],
  phaseChangeLikeliness: 0,
  phaseChangeHistory: 1,
};

const slots = new Map(columns('vm').map(({ id, slot }) => [id, slot]));
const ids = 'cpu_total cpu_steal net_rx_mbit net_tx_mbit io_read_mib io_write_mib ram_active disk_util'.split(
  ' ',
);
const targets = Array.from({ length: count }, (_, index) => {
  const uuid = `00000000-0000-0000-0000-${String(index).padStart(12, '0')}`;
  return new Target(testVm({ uuid, name: uuid }));
});
const vms = targets.map(({ rows }) => rows);
const host = new TargetRows('host');

/** Loads that move: a slow wave with noise, another one for each VM. */
function load(cycle: number): void {
  for (const [index, { row }] of vms.entries())
    for (const id of ids)
      row.values[slots.get(id) ?? -1] = 25 + 20 * Math.sin((cycle + 7 * index) / 40) + 10 * Math.random();
}

function sampleAt(cycle: number): Sample {
  const common = {
    run: 'r',
    interval: 1,
    host: host.tree,
    guests: vms,
    agent: { row: new Row('agent'), outputs: [], verdicts: [], nodes: [] },
    collectors: [],
    runs: [],
  };
  return { ...common, seq: cycle + 1, time: 1000 * cycle };
}

/** ms of CPU a cycle that `work` takes; the loads are made outside of it. */
function cost(work: (cycle: number) => void): number {
  let used = 0;
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    load(cycle);
    const start = process.cpuUsage();
    work(cycle);
    const { user, system } = process.cpuUsage(start);
    used += user + system;
  }
  return used / 1000 / CYCLES;
}

/** A profiler and the printer of its only output. */
function profilerOf(profile: ProfileSettings, metrics = inputNames.slice(0, 3)): Printer {
  const limits = { net: undefined, io: undefined };
  const settings: ProfilerSettings = { profile, metrics, limits, outputFreq: 60 };
  const profiler = new Profiler(settings, CYCLES, []);
  const printer = new ProfilePrinter(profiler);
  const print = (sample: Sample): readonly Buffer[] => {
    profiler.take(sample);
    return printer.print(sample);
  };
  return { print };
}

const cases: Readonly<Record<string, () => Printer>> = {
  'warm-up, not counted': () => profilerOf(usual),
  'usual: cpu, net, io': () => profilerOf(usual),
  'all five metrics': () => profilerOf(usual, [...inputNames]),
  'periods of one sample': () => profilerOf({ ...usual, buffersize: 1 }),
  'history 3': () => profilerOf({ ...usual, history: 3 }),
  'cycles 24,6 and phases': () =>
    profilerOf({ ...usual, periodSize: [24, 6], phaseChangeLikeliness: 0.2, phaseChangeHistory: 5 }),
};
await compareParts(import.meta.filename, (figures) => {
  let lines: readonly Buffer[] = [];
  for (const [name, make] of Object.entries(cases)) {
    const profiler = make();
    const ms = cost((cycle) => {
      lines = profiler.print(sampleAt(cycle));
    });
    figures.set(`${count} VMs, ${name}: CPU, ms a cycle`, ms);
    figures.set(`${count} VMs, ${name}: bytes a line`, lines[0]?.length ?? 0);
  }

  const profiler = profilerOf(usual);
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    load(cycle);
    lines = profiler.print(sampleAt(cycle));
  }
  const profiles = lines.map((line) => (JSON.parse(line.toString()) as { profile: Profile }).profile);
  const collector = new LikelinessCollector(new ProfileSet(profiles, 'bench'));
  const judging = cost(() => {
    collector.collect(host, targets);
  });
  figures.set(`${count} VMs, likeliness: CPU, ms a cycle`, judging);
});
