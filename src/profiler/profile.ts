import { visible } from '../formats/json/json.ts';
import type { Matrices } from './model/matrix.ts';
import type { TreeNode } from './model/period-tree.ts';
import type { ProfileSettings } from './settings.ts';
import { stddev } from './model/statistics.ts';
import type { TransitionRow } from './model/transitions.ts';
import { sum, toPercent } from './model/transitions.ts';
import type { VmProfile } from './model/vm-profile.ts';

/** Of the format below; a reader refuses any other. */
export const profileVersion = 1;

/** One metric's transitions, by the key of the history they follow. */
export interface ProfileMatrix {
  readonly metric: string;
  readonly transitions: Readonly<Record<string, TransitionRow>>;
  readonly stats: {
    /** Bounds of the levels. */
    readonly min: number;
    readonly max: number;
    readonly avg: number;
    readonly stddev: number;
    readonly count: number;
    readonly stddevsum: number;
  };
}

export interface ProfileNode {
  readonly maxChilds: number;
  readonly maxCounts: number;
  readonly children: readonly ProfileNode[];
  readonly txmatrix: readonly ProfileMatrix[];
}

/** Whose profile it is. */
export interface Subject {
  /** UUID of the guest, or the name of the file that was profiled. */
  readonly name: string;
  /** What kind of guest it is: {@link GuestType}; missing where a recording, or a profile of 0.1.0, does not tell: then it is a VM. */
  readonly guest_type?: string | undefined;
  /** On Proxmox VE, where VMs may have the same UUID. */
  readonly vmid?: string | undefined;
  /** Of a VM that has UUID and vmid of another one. */
  readonly pid?: string | undefined;
}

/** Whether it is a container. Its profile is never that of a VM: they are measured in different ways. */
export function isContainer({ guest_type }: Pick<Subject, 'guest_type'>): boolean {
  return guest_type !== undefined && guest_type !== 'qemu';
}

/** A profile as it is sent: names and shape are those of the original, but for version, guest_type, vmid and pid. */
export interface Profile extends Subject {
  readonly version: number;
  readonly roottx: readonly ProfileMatrix[];
  readonly periodTree: { readonly root: ProfileNode };
  readonly phases: {
    readonly phases: readonly (readonly ProfileMatrix[])[];
    readonly tx: { readonly metric: string; readonly transitions: Readonly<Record<string, TransitionRow>> };
  };
  readonly settings: {
    readonly states: number;
    readonly buffersize: number;
    readonly history: number;
    readonly filterstddevs: number;
    readonly fixbound: boolean;
    readonly periodsize: readonly number[];
    readonly phaseChangeLikeliness: number;
    readonly phaseChangeHistory: number;
    readonly phaseChangeHistoryFadeout: boolean;
  };
}

/** The profile so far as a line of JSON. */
export function profileLine(subject: Subject, vm: VmProfile): string {
  return `${visible(JSON.stringify({ profile: toProfile(subject, vm) }))}\n`;
}

/** The profile so far. */
export function toProfile({ name, guest_type, vmid, pid }: Subject, vm: VmProfile): Profile {
  const { settings, state } = vm;
  const hasPhases = settings.phaseChangeLikeliness > 0;
  const { list, counts } = state.phases;
  const matrices = (of: Matrices): ProfileMatrix[] => toMatrices(of, vm);
  const node = ({ maxChilds, maxCounts, children, matrices: own }: TreeNode): ProfileNode => ({
    maxChilds,
    maxCounts,
    children: children.map(node),
    txmatrix: matrices(own),
  });
  const changes = Object.values(counts).reduce((total, row) => total + sum(row), 0);
  return {
    name,
    version: profileVersion,
    ...(guest_type !== undefined && { guest_type }),
    ...(vmid !== undefined && { vmid }),
    ...(pid !== undefined && { pid }),
    roottx: matrices(state.root),
    periodTree: { root: node(state.tree.root) },
    phases: {
      phases: hasPhases ? list.map(matrices) : [],
      tx: { metric: 'phase', transitions: toPercent(counts, changes, list.length) },
    },
    settings: toSettings(settings),
  };
}

function toMatrices(matrices: Matrices, { settings, state }: VmProfile): ProfileMatrix[] {
  return Object.entries(matrices).map(([metric, { stats, counts }]) => {
    const { min, max } = state.tracks[metric]?.bounds ?? { min: 0, max: 0 };
    const { avg, count, stddevsum } = stats;
    return {
      metric,
      transitions: toPercent(counts, count / settings.buffersize, settings.states),
      stats: { min, max, avg, stddev: stddev(stats), count, stddevsum },
    };
  });
}

function toSettings(settings: ProfileSettings): Profile['settings'] {
  return {
    states: settings.states,
    buffersize: settings.buffersize,
    history: settings.history,
    filterstddevs: settings.filterStdDevs,
    fixbound: settings.fixedBound,
    periodsize: settings.periodSize,
    phaseChangeLikeliness: settings.phaseChangeLikeliness,
    phaseChangeHistory: settings.phaseChangeHistory,
    phaseChangeHistoryFadeout: false,
  };
}
