/**
 * A command line, environment or configuration file that cannot be used. The message is all that a user gets to see:
 * one or two lines that say where, what was found and what was expected.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG';
}
