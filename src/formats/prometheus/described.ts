import { slots } from '../../catalogue/catalogue.ts';
import type { Sample } from '../../sampling/sample.ts';
import type { FamilyHead } from './families.ts';
import { joined, labelText } from './labels.ts';
import type { LabelledRows } from './labels.ts';

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

/** A family that is no metric of the catalogue, with its samples: what stands in braces, and the number. */
export interface DescribedFamily {
  readonly head: FamilyHead;
  readonly lines: readonly (readonly [labels: string, number: string])[];
}

/** What describes VMs and host, and how outputs and collectors fare. */
export function described({ host: { row }, seq, time, runs }: Sample, rows: LabelledRows): DescribedFamily[] {
  const hostName = row.texts[host.host_name];
  const ofRuns = (number: (run: Sample['runs'][number]) => number): DescribedFamily['lines'] =>
    runs.map((run) => [labelText([['collector', run.name]]), String(number(run))]);
  return [
    {
      head: vmInfo,
      lines: rows.vm.map(({ labels, row: { texts, values } }) => {
        const cores = values[CORES] ?? NaN;
        const more = labelText([
          ['tags', texts[identity.tags]],
          ['cores', Number.isNaN(cores) ? undefined : String(cores)],
          ['host', hostName],
        ]);
        return [joined(labels, more), '1'];
      }),
    },
    {
      head: vmState,
      lines: rows.vm.flatMap(({ labels, row: { texts } }) => {
        const state = labelText([
          ['state', texts[identity.state]],
          ['lock', texts[identity.lock]],
          ['qmp', texts[identity.qmp]],
        ]);
        return state === '' ? [] : [[joined(labels, state), '1'] as const];
      }),
    },
    {
      head: hostInfo,
      lines: [
        [
          labelText([
            ['host', hostName],
            ['uuid', row.texts[host.host_uuid]],
            ['kernel', row.texts[host.host_kernel]],
          ]),
          '1',
        ],
      ],
    },
    {
      head: outputUp,
      lines: rows.agent_output.map(({ labels, row: { texts } }) => [
        labels,
        texts[STATE] === 'up' ? '1' : '0',
      ]),
    },
    { head: duration, lines: ofRuns(({ duration: ms }) => Number((ms / 1000).toFixed(6))) },
    { head: success, lines: ofRuns(({ failed }) => (failed ? 0 : 1)) },
    { head: samples, lines: [['', String(seq)]] },
    { head: sampleTime, lines: [['', String(time / 1000)]] },
  ];
}
