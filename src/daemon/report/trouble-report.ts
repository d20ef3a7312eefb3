import { subscribe } from 'node:diagnostics_channel';
import type { Logger } from 'pino';
import { fileKind } from '../../kernel/base/paths.ts';
import type { FileTrouble } from '../../kernel/base/read.ts';
import { fileTroubles } from '../../kernel/base/read.ts';
import { withoutColumns } from '../../formats/esxtop/host-columns.ts';

/**
 * Logs kernel files that cannot be read: one warning for each kind of file, whatever the number of processes and VMs
 * it stands for.
 */
export function reportFileTroubles(log: Logger): void {
  const known = new Set<string>();
  subscribe(fileTroubles.name, (message) => {
    const { path, trouble, message: why } = message as FileTrouble;
    const kind = fileKind(path);
    if (known.has(kind)) return;
    known.add(kind);
    const advice = trouble === 'denied' ? '; run as root to get them' : '';
    log.warn(`${kind}: ${why}; its metrics are omitted${advice}`);
  });
}

/** Logs VMs that started after the header of a wide table was written. */
export function reportMissingColumns(log: Logger): void {
  subscribe(withoutColumns.name, (name) => {
    log.warn(
      `VM ${JSON.stringify(name)} started after the header was written and has no columns; SIGHUP starts a new table`,
    );
  });
}
