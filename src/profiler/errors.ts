/** A recording or a profile that cannot be used. The message says in one line where, what was found and what was expected. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly code = 'INPUT';
}
