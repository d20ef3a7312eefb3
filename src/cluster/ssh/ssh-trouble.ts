import { brief } from '../../base/strings/printable.ts';
import type { NodeTrouble, TroubleKind } from '../node-source.ts';

/** What is wrong, without times. */
export type Cause = Pick<NodeTrouble, 'kind' | 'text'>;

/** How ssh ended. */
export interface SshEnd {
  /** The exit code of the remote command, or 255 where ssh itself failed; null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last of what stood on its standard error: words of ssh, and of the remote command. */
  readonly words: string;
}

/** ssh(1): "exits with the exit status of the remote command or with 255 if an error occurred". */
const SSH_FAILED = 255;
/** Exit codes of shells for a command that there is not, and for one that cannot be run (POSIX, 2.8.2). */
const [NOT_FOUND, NOT_EXECUTABLE] = [127, 126];
/** Exit code of a proxtop whose command line is wrong (cli/exit-codes.ts). */
const USAGE = 2;
const LONGEST_SENTENCE = 200;

/** What words of ssh mean; the first that fits counts. They have been the same for many years (ssh.c, sshconnect.c). */
const meanings: readonly (readonly [pattern: RegExp, kind: TroubleKind, text?: string])[] = [
  [/REMOTE HOST IDENTIFICATION HAS CHANGED/, 'host-key', 'its host key is not the one that is known here'],
  // Of a key that it does not know, ssh says nothing more when it may not ask.
  [/Host key verification failed/, 'host-key', 'its host key is not known here'],
  [/Permission denied|Too many authentication failures/, 'refused'],
  [/not allowed|account .*(expired|locked)|currently not available/i, 'refused'],
];

/** Why a node is not seen any more, from how ssh ended. */
export function causeOf({ code, signal, words }: SshEnd): Cause {
  const line = lastLine(words);
  if (code === SSH_FAILED) {
    for (const [pattern, kind, text] of meanings)
      if (pattern.test(words)) return { kind, text: text ?? line };
    return { kind: 'unreachable', text: line || 'ssh failed without a word' };
  }
  if (code === NOT_FOUND) return { kind: 'no-program', text: 'there is no proxtop in its PATH' };
  if (code === NOT_EXECUTABLE) return { kind: 'no-program', text: `its proxtop cannot be run: ${line}` };
  // The first flag of the command, which came last.
  if (code === USAGE && /^proxtop: --changes: unknown flag/m.test(words))
    return {
      kind: 'schema',
      text: 'the proxtop there is older than this one: install the same version on both',
    };
  if (code === null) return { kind: 'ended', text: `ssh was ended by ${signal ?? 'a signal'}` };
  const said = line === '' ? '' : `: ${line}`;
  return { kind: 'ended', text: `proxtop ended there with code ${code}${said}` };
}

/** Made printable, because a node may be hostile. */
function lastLine(words: string): string {
  const lines = words.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  return brief((lines.at(-1) ?? '').trim(), LONGEST_SENTENCE);
}
