import { percent, rate } from '../metric.ts';
import type { Causes, CounterFacts, Declaration, Judged, MetricTable } from '../metric.ts';

type Share = 'some' | 'full';
type Resource = 'cpu' | 'io' | 'mem';

/** Of a pressure file: its name, what tasks wait for, and what usually makes them. */
const resources: Readonly<Record<Resource, { file: string; wait: string; causes: Causes }>> = {
  cpu: {
    file: 'cpu',
    wait: 'waited for a CPU',
    causes: [
      'Tasks wait for a CPU: of a VM see %RDY and %MLMTD, of the host its load.',
      'Some is normal on a busy host; check whether VMs suffer (%RDY).',
    ],
  },
  io: {
    file: 'io',
    wait: 'waited for I/O',
    causes: [
      'Tasks wait for a disk or a network storage: see latencies of the VMs and AWAIT of the host.',
      'Memory that comes back from swap counts too.',
    ],
  },
  mem: {
    file: 'memory',
    wait: 'waited for memory (swap-in or reclaim)',
    causes: [
      'The host, or the memory limit of the VM, has too little memory: it swaps, or reclaims caches that are needed at once.',
      'One VM grows fast, and the others pay: see RSS.',
    ],
  },
};

const waiters: Readonly<Record<Share, string>> = {
  some: 'at least one task',
  full: 'all runnable tasks',
};

/** Our own choice, as ESX has no pressure. "full" of CPU has no levels. */
const levels = {
  some: { cpu: '10/25', io: '10/25', mem: '5/10' },
  full: { cpu: undefined, io: '5/10', mem: '1/5' },
} as const;

/** Pressure stall information. */
export const pressure = {
  host: [
    ...ofHost('some', 'cpu'),
    ...ofHost('full', 'cpu'),
    ...ofHost('some', 'io'),
    ...ofHost('full', 'io'),
    ...ofHost('some', 'mem'),
    ...ofHost('full', 'mem'),
  ],
  vm: [
    ofVm('some', 'cpu'),
    ofVm('full', 'cpu'),
    ofVm('some', 'io'),
    ofVm('full', 'io'),
    ofVm('some', 'mem'),
    ofVm('full', 'mem'),
  ],
} satisfies MetricTable;

/** A line of a pressure file of the host: its means and its total. */
function ofHost<S extends Share, R extends Resource>(share: S, resource: R) {
  const { file, wait, causes } = resources[resource];
  const title = `${share.slice(0, 1)}${resource}`.toUpperCase();
  const source = `/proc/pressure/${file} line ${share}`;
  // Kernels of that time had only "some" for the CPU.
  const isNew = share === 'full' && resource === 'cpu';
  const average = <Span extends string>(
    span: Span,
    words: string,
    shown?: 'verbose',
  ): Declaration<`psi_${S}_${R}_avg${Span}`> =>
    percent(`psi_${share}_${resource}_avg${span}`, {
      title: title + span,
      ...(shown && { shown }),
      source,
      formula: 'kernel average',
      meaning: meaning(share, resource, words),
      original: isNew ? undefined : { id: `psi_${share}_${resource}_avg${span}` },
      needs: 'PSI',
      ...judged(share, resource),
    });
  return [
    average('10', '10 seconds', 'verbose'),
    average('60', 'minute', isNew ? 'verbose' : undefined),
    average('300', '5 minutes', 'verbose'),
    rate(`psi_${share}_${resource}_total`, {
      title: `${title}TOTAL`,
      unit: 'us per second',
      shown: 'verbose',
      source,
      formula: 'rate of total',
      meaning: `Time that ${waiters[share]} ${wait}.`,
      original: isNew ? undefined : { id: `psi_${share}_${resource}_total`, differs: 'us, cumulative' },
      needs: 'PSI',
      counter: counter(share, resource),
      causes,
    }),
  ];
}

/** A line of a pressure file of the cgroup of a VM. */
function ofVm<S extends Share, R extends Resource>(
  share: S,
  resource: R,
): Declaration<`psi_${S}_${R}_avg10`> {
  return percent(`psi_${share}_${resource}_avg10`, {
    title: `${share.slice(0, 1)}${resource}10`.toUpperCase(),
    ...(share === 'full' && { shown: 'verbose' }),
    source: `cgroup v2 ${resources[resource].file}.pressure of the VM scope`,
    formula: 'pressure of one VM; omitted where its cgroup is shared with other processes',
    meaning: meaning(share, resource, '10 seconds'),
    needs: 'cgroup v2 of its own and PSI',
    container: `cgroup v2 ${resources[resource].file}.pressure`,
    counter: counter(share, resource),
    ...judged(share, resource),
  });
}

function meaning(share: Share, resource: Resource, span: string): string {
  return `Share of the last ${span} in which ${waiters[share]} ${resources[resource].wait}.`;
}

function judged(share: Share, resource: Resource): Judged {
  return { levels: levels[share][resource], causes: resources[resource].causes };
}

function counter(share: Share, resource: Resource): CounterFacts {
  return {
    name: `psi_${share}_${resource}_seconds`,
    unit: 'us',
    counted: 'reading',
    help: `Time in which ${share === 'some' ? 'some task' : 'every task'} waited for ${resource}`,
  };
}
