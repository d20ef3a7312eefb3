import { rate } from '../metric.ts';
import type { MetricTable } from '../metric.ts';

const source = '/sys/class/powercap/intel-rapl:*/energy_uj of packages and dram (Intel and AMD)';
const needs = 'a CPU with RAPL, and root; virtual machines have none';
const estimate = 'an estimate';

/** Energy of the CPUs and their memory, as the hardware counts it, and an estimate of each guest's share. */
export const energy = {
  vm: [
    rate('power_estimate', {
      title: '~WATTS',
      unit: 'watts',
      source: 'derived',
      formula: `power_active * CPU time of the guest / CPU time of all on the host: ${estimate}`,
      meaning:
        "Estimated power of the guest: its share, by CPU time, of the host's active power. Idle power belongs to nobody, and heavy instructions count as light ones.",
      needs,
      counter: {
        name: 'energy_estimate_joules',
        unit: 'uj',
        counted: 'added',
        help: 'Estimate of the energy that the guest caused, by its CPU time, since proxtop first saw it',
      },
    }),
  ],
  host: [
    rate('power', {
      title: 'WATTS',
      unit: 'watts',
      source,
      formula: 'sum of the zones, over 5 s',
      meaning:
        'Power of the CPUs and, where it is counted separately, their memory. Without disks, fans and power supplies.',
      needs,
      counter: {
        name: 'energy_joules',
        unit: 'uj',
        counted: 'added',
        help: 'Energy that CPUs and memory took, since proxtop started',
      },
    }),
    rate('power_active', {
      title: '~ACTIVEW',
      unit: 'watts',
      source: 'derived',
      formula: `power * busy share of the CPUs: ${estimate}`,
      meaning: 'Estimated power that goes into work, of guests and of the host itself.',
      needs,
      counter: {
        name: 'energy_active_joules',
        unit: 'uj',
        counted: 'added',
        help: 'Estimate of the part of the energy that went to work',
      },
    }),
    rate('power_idle', {
      title: '~IDLEW',
      unit: 'watts',
      source: 'derived',
      formula: `power - power_active: ${estimate}`,
      meaning: 'Estimated power that the CPUs draw while idle.',
      needs,
      counter: {
        name: 'energy_idle_joules',
        unit: 'uj',
        counted: 'added',
        help: 'Estimate of the part of the energy that went to nothing',
      },
    }),
  ],
  host_zone: [
    rate('power', {
      title: 'WATTS',
      unit: 'watts',
      source,
      formula: 'rate over 5 s, across the wrap of the counter at max_energy_range_uj',
      meaning: 'Power of a CPU package, or of its memory.',
      needs,
      counter: {
        name: 'energy_joules',
        unit: 'uj',
        counted: 'added',
        help: 'Energy that CPUs and memory took, since proxtop started',
      },
    }),
  ],
} satisfies MetricTable;
