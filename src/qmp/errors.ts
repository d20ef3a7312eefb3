/** Why a visit to a monitor gave no answers. timeout: it is held by others or QEMU hangs; error: all the rest. */
export type QmpFailure = 'timeout' | 'error';

/** A visit that failed as a whole. The message names the socket. */
export class QmpError extends Error {
  override readonly name = 'QmpError';

  constructor(
    readonly reason: QmpFailure,
    path: string,
    what: string,
    /** Of the system call that failed, if one did. */
    readonly code?: string | undefined,
  ) {
    super(`${path}: ${what}`);
  }
}
