import type { Process } from '../../kernel/process/process.ts';

/** QEMU's thread names: `CPU 0/KVM`, and `CPU 0/TCG` without KVM. */
const VCPU_COMM = /^CPU (\d+)\//;

/**
 * Marks which threads of a QEMU process run which vCPU. Their names tell it without asking the monitor; only a QEMU
 * older than 11 that was started without `debug-threads=on` does not name them, and then `known` decides.
 * @param known thread ids by vCPU number as QMP query-cpus-fast tells them
 * @returns the number of vCPUs; 0 when it cannot be told
 */
export function markVcpus(process: Process, known?: ReadonlyMap<number, number>): number {
  let vcpus = 0;
  for (const thread of process.threads) {
    const name = VCPU_COMM.exec(thread.comm)?.[1];
    thread.vcpu = name === undefined ? known?.get(thread.tid) : Number(name);
    if (thread.vcpu !== undefined) vcpus++;
  }
  return vcpus;
}
