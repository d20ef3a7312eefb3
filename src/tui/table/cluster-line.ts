import { slots } from '../../catalogue/catalogue.ts';
import type { ClusterNode } from '../../cluster/cluster-sample.ts';
import type { MergedSample } from '../../cluster/merge.ts';
import { line } from '../screen/spans.ts';
import type { Line, Span } from '../screen/spans.ts';
import { formatNumber } from '../values/format.ts';

const node = slots('agent', 'agent_node');
const { cpu_cores: CORES } = slots('cpu', 'host');
const { ram_total: TOTAL } = slots('mem', 'host');

/** Complaints that are shown at most. */
const MOST = 3;

/** Of all nodes that tell: how busy their CPUs and how full their memory is, and which node is the fullest. */
export function clusterLine({ nodes, guests }: MergedSample): Line {
  const told = nodes.filter(({ sample }) => sample !== undefined);
  const parts: Span[] = [{ text: 'ALL  ', style: 'strong' }];
  const add = (title: string, text: string): void => {
    parts.push({ text: `${title} `, style: 'dim' }, { text: `${text}  ` });
  };
  add('NODES', `${told.length} of ${nodes.length}`);
  add('GUESTS', String(guests.length));
  add(
    '%BUSY',
    share(told, node.cpu_busy, CORES, (cpus) => `${cpus} CPUs`),
  );
  add(
    '%MEM',
    share(told, node.ram_percent, TOTAL, (bytes) => formatNumber(bytes, 'bytes')),
  );
  const busiest = fullest(told, node.cpu_busy);
  if (busiest !== undefined && nodes.length > 1) add('BUSIEST', busiest);
  const full = fullest(told, node.ram_percent);
  if (full !== undefined && nodes.length > 1) add('FULLEST', full);
  return parts;
}

/** What keeps nodes from being seen or believed, a line for each. */
export function complaintLines({ complaints }: MergedSample): readonly Line[] {
  const shown = complaints.slice(0, complaints.length > MOST ? MOST - 1 : MOST);
  const left = complaints.length - shown.length;
  const more = left === 0 ? [] : [line(`${left} more nodes are in trouble (0 shows all)`, 'warn')];
  return [...shown.map((text) => line(text, 'warn')), ...more];
}

/** The mean of a share over the nodes by their sizes, and the sum of those. */
function share(
  nodes: readonly ClusterNode[],
  slot: number,
  sizeSlot: number,
  told: (size: number) => string,
): string {
  let [size, used] = [0, 0];
  for (const { row, sample } of nodes) {
    const [percent = NaN, own = NaN] = [row.values[slot], sample?.host.row.values[sizeSlot]];
    if (Number.isNaN(percent) || Number.isNaN(own)) continue;
    size += own;
    used += own * percent;
  }
  return size === 0 ? '-' : `${formatNumber(used / size, 'percent')} of ${told(size)}`;
}

/** The node with the largest share. */
function fullest(nodes: readonly ClusterNode[], slot: number): string | undefined {
  let most: ClusterNode | undefined;
  const of = (one: ClusterNode): number => one.row.values[slot] ?? NaN;
  for (const each of nodes) if (!Number.isNaN(of(each)) && !(most && of(most) >= of(each))) most = each;
  return most && `${most.name} ${formatNumber(of(most), 'percent')}`;
}
