/** The exit codes of proxtop; `--help` documents them. */
export const exitCodes = {
  /** All runs are done, or the program was told to stop. */
  done: 0,
  /** Failure: no hypervisor, nowhere to write, a bug. Or it ended by itself, and records were lost. */
  failure: 1,
  /** The command line, the environment or the configuration file is wrong. */
  usage: 2,
  /** `proxtop status`: an output does not deliver as it should. */
  degraded: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
