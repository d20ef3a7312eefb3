import { until } from './processes.ts';
import { qmp } from './qmp.ts';

interface Job {
  readonly ready: boolean;
}

/**
 * Moves a running disk to another image with blockdev-mirror or drive-mirror; resolves when QEMU uses that one alone.
 * @param path the monitor's socket
 * @param args of the command beside the job's id and `sync`
 */
export async function mirror(
  path: string,
  args: Record<string, unknown>,
  command: 'blockdev-mirror' | 'drive-mirror' = 'blockdev-mirror',
): Promise<void> {
  const jobs = async (): Promise<readonly Job[]> => (await qmp(path, 'query-block-jobs')) as readonly Job[];
  await qmp(path, command, { 'job-id': 'mirror', sync: 'full', ...args });
  await until('the mirror is complete', async () => (await jobs()).every(({ ready }) => ready));
  await qmp(path, 'block-job-complete', { device: 'mirror' });
  await until('the job has ended', async () => (await jobs()).length === 0);
}
