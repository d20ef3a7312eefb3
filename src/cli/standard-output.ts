import { exitCodes } from './exit-codes.ts';

/**
 * Ends the program with one line where an answer cannot be written, as on a full disk. A reader that has seen enough of it
 * (`| head`) is no fault.
 */
export function obeyStandardOutput(program: string): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.stderr.write(`${program}: standard output cannot be written: ${error.message}\n`);
    process.exit(exitCodes.failure);
  });
}
