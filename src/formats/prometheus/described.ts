import { slots } from '../../catalogue/catalogue.ts';
import type { Sample } from '../../sampling/sample.ts';
import type { FamilyHead } from './families.ts';
import type { LabelledRows, Labels } from './labels.ts';

const identity = slots('identity', 'vm');
const { cpu_cores: CORES } = slots('cpu', 'vm');
const host = slots('host', 'host');
const { state: STATE } = slots('agent', 'agent_output');

const vmInfo: FamilyHead = {
  name: 'proxtop_vm',
  type: 'info',
  unit: '',
  help: 'What is known of a VM beside its names: tags, vCPUs, the host it runs on',
};
const vmState: FamilyHead = {
  name: 'proxtop_vm_state',
  type: 'gauge',
  unit: '',
  help: '1 for the state a VM is in (running, paused, ...), what it is locked for, and why its monitor gives no answer',
};
const hostInfo: FamilyHead = {
  name: 'proxtop_host',
  type: 'info',
  unit: '',
  help: 'Name, UUID and kernel of the host',
};
const outputUp: FamilyHead = {
  name: 'proxtop_output_up',
  type: 'gauge',
  unit: '',
  help: 'Whether the destination of an output is there: 1, or 0 while it is not',
};
const duration: FamilyHead = {
  name: 'proxtop_collector_duration_seconds',
  type: 'gauge',
  unit: 'seconds',
  help: 'How long a collector took in the last cycle',
};
const success: FamilyHead = {
  name: 'proxtop_collector_success',
  type: 'gauge',
  unit: '',
  help: 'Whether a collector worked in the last cycle: 1, or 0 when it failed',
};
const samples: FamilyHead = {
  name: 'proxtop_agent_samples',
  type: 'counter',
  unit: '',
  help: 'Samples taken',
};
const sampleTime: FamilyHead = {
  name: 'proxtop_agent_sample_timestamp_seconds',
  type: 'gauge',
  unit: 'seconds',
  help: 'When the sample was taken that this page shows, since 1970',
};

/** All of them, for documents. */
export const describedHeads: readonly FamilyHead[] = [
  vmInfo,
  vmState,
  hostInfo,
  outputUp,
  duration,
  success,
  samples,
  sampleTime,
];

/** A sample of such a family: the labels of the row that it is of, further ones, and the number. */
interface DescribedSample<L> {
  readonly of: L | undefined;
  readonly labels: Labels;
  readonly value: number;
}

/** A family that is no metric of the catalogue, with its samples. */
interface DescribedFamily<L> {
  readonly head: FamilyHead;
  readonly lines: readonly DescribedSample<L>[];
}

/**
 * What describes VMs and host, and how outputs and collectors fare.
 *
 * @param rows of the sample, or some of them: what is of no row stands with that of the host
 */
export function described<L>(sample: Sample, rows: LabelledRows<L>): DescribedFamily<L>[] {
  const { seq, time, runs } = sample;
  const { row } = sample.host;
  const hostName = row.texts[host.host_name];
  const single = (labels: Labels, value: number): DescribedSample<L> => ({ of: undefined, labels, value });
  const ofRuns = (number: (run: Sample['runs'][number]) => number): readonly DescribedSample<L>[] =>
    runs.map((run) => single([['collector', run.name]], number(run)));
  const guests: DescribedFamily<L>[] = [
    {
      head: vmInfo,
      lines: rows.vm.map(({ labels: of, row: { texts, values } }) => {
        const cores = values[CORES] ?? NaN;
        const labels: Labels = [
          ['tags', texts[identity.tags]],
          ['cores', Number.isNaN(cores) ? undefined : String(cores)],
          ['host', hostName],
        ];
        return { of, labels, value: 1 };
      }),
    },
    {
      head: vmState,
      lines: rows.vm.flatMap(({ labels: of, row: { texts } }) => {
        const labels: Labels = [
          ['state', texts[identity.state]],
          ['lock', texts[identity.lock]],
          ['qmp', texts[identity.qmp]],
        ];
        return labels.every(([, text]) => text === undefined || text === '')
          ? []
          : [{ of, labels, value: 1 }];
      }),
    },
  ];
  if (rows.host.length === 0) return guests;
  const hostLabels: Labels = [
    ['host', hostName],
    ['uuid', row.texts[host.host_uuid]],
    ['kernel', row.texts[host.host_kernel]],
  ];
  return [
    ...guests,
    { head: hostInfo, lines: [single(hostLabels, 1)] },
    {
      head: outputUp,
      lines: rows.agent_output.map(({ labels: of, row: { texts } }) => ({
        of,
        labels: [],
        value: texts[STATE] === 'up' ? 1 : 0,
      })),
    },
    { head: duration, lines: ofRuns(({ duration: ms }) => Number((ms / 1000).toFixed(6))) },
    { head: success, lines: ofRuns(({ failed }) => (failed ? 0 : 1)) },
    { head: samples, lines: [single([], seq)] },
    { head: sampleTime, lines: [single([], time / 1000)] },
  ];
}
