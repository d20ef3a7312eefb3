import type { BlockStats } from '../../qmp/blockstats.ts';
import { queryBlockstats } from '../../qmp/blockstats.ts';
import type { QmpAnswer } from '../../qmp/query.ts';
import { PreparedQueries } from '../../qmp/query.ts';
import type { Balloon, Cpu, GuestStats, Status } from '../../qmp/replies.ts';
import { queryBalloon, queryCpus, queryGuestStats, queryStatus } from '../../qmp/replies.ts';
import { queryMemoryDevices, queryMemorySize } from '../../qmp/memory.ts';

/** What is asked at every visit. */
export const basicQueries = new PreparedQueries([queryStatus, queryBlockstats, queryBalloon]);
/** Also for a stock QEMU, whose query-balloon does not tell what the guest reports, and for one that names no threads. */
export const fullQueries = new PreparedQueries([
  queryStatus,
  queryBlockstats,
  queryBalloon,
  queryGuestStats,
  queryCpus,
]);

/** Also how much memory the VM has, which changes only by a plug. */
export const memoryQueries = new PreparedQueries([
  ...fullQueries.queries,
  queryMemorySize,
  queryMemoryDevices,
]);

/** The answers to {@link basicQueries}, {@link fullQueries} or {@link memoryQueries}. */
export type QemuAnswers = readonly [
  QmpAnswer<Status>,
  QmpAnswer<readonly BlockStats[]>,
  QmpAnswer<Balloon>,
  QmpAnswer<GuestStats>?,
  QmpAnswer<readonly Cpu[]>?,
  QmpAnswer<number>?,
  QmpAnswer<number>?,
];
