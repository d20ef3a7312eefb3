/** A file that cannot be replayed. The message names the file, what was found and what was expected. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
  readonly code = 'RECORDING';
}
