import { ConfigError } from '../../config/errors.ts';

/** What `proxtop spool` is to do. */
export type SpoolRequest =
  | { readonly action: 'list' }
  | { readonly action: 'drain'; readonly spool: string; readonly file: string }
  | { readonly action: 'delete'; readonly spool: string };

/** The forms of the command. */
export const spoolUsage = [
  'proxtop spool [list] [FLAG]...',
  'proxtop spool drain NAME[:FORMAT] [FILE] [FLAG]...',
  'proxtop spool delete NAME[:FORMAT] [FLAG]...',
] as const;

/**
 * Reads what stands between `spool` and the flags; `-` is standard output.
 *
 * @returns the flags besides. Throws a ConfigError
 */
export function parseSpoolRequest(argv: readonly string[]): {
  readonly request: SpoolRequest;
  readonly flags: readonly string[];
} {
  const end = argv.findIndex((word) => word.startsWith('-') && word !== '-');
  const words = end < 0 ? argv : argv.slice(0, end);
  const flags = end < 0 ? [] : argv.slice(end);
  const [action = 'list', spool, file = '-', ...more] = words;
  if (action === 'list' && words.length < 2) return { request: { action }, flags };
  if (action === 'drain' && spool !== undefined && more.length === 0)
    return { request: { action, spool, file }, flags };
  if (action === 'delete' && spool !== undefined && words.length === 2)
    return { request: { action, spool }, flags };
  throw new ConfigError(`spool ${words.join(' ')}: the usage is ${spoolUsage.join(' or ')}`);
}
