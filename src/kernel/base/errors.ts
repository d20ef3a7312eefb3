/**
 * What a failed access to a kernel file means. gone: the process or device is no longer there; unsupported: this kernel or
 * machine does not have it; denied: we lack the rights; broken: any other error.
 */
export type Trouble = 'gone' | 'unsupported' | 'denied' | 'broken';

const meanings: Readonly<Record<string, Trouble>> = {
  ENOENT: 'gone',
  ESRCH: 'gone',
  ENODEV: 'gone',
  ENXIO: 'gone',
  ENOTDIR: 'gone',
  EACCES: 'denied',
  EPERM: 'denied',
  EOPNOTSUPP: 'unsupported',
  ENOTSUP: 'unsupported',
  EINVAL: 'unsupported',
};

/** The meaning of an error thrown by node:fs; `broken` for one it does not know. */
export function troubleOf(error: unknown): Trouble {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return (code !== undefined && meanings[code]) || 'broken';
}

/** A kernel file whose content is not what its documentation says. */
export class KernelFormatError extends Error {
  override readonly name = 'KernelFormatError';
  readonly code = 'KERNEL_FORMAT';

  /** @param file the path, @param expected what should be there, @param found the start of what is there */
  constructor(file: string, expected: string, found: string) {
    super(`${file}: expected ${expected}, found ${JSON.stringify(found.slice(0, 80))}`);
  }
}
