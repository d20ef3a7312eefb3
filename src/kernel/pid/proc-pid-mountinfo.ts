/** A mounted file system. */
export interface Mount {
  /** Tells mounts apart; fdinfo of a descriptor says on which one its file lies. */
  readonly id: number;
  readonly point: string;
  /** The directory of the file system that is mounted there: `/` for all of it. */
  readonly root: string;
  /** Numbers of its device, such as 98:0; the kernel makes some up, with major 0, for a file system on none or several. */
  readonly device: string;
  /** The first of them. */
  readonly major: number;
  /** ext4, nfs4, tmpfs, ... */
  readonly type: string;
  /** Device, server or whatever the type takes. */
  readonly source: string;
}

/** `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue` */
const LINE = /^(\d+) \d+ ((\d+):\d+) (\S+) (\S+) .*? - (\S+) (\S+)/;

/**
 * Parses /proc/<pid>/mountinfo (proc_pid_mountinfo(5)). Lines that are not of its format are skipped.
 * @returns the mounts in their order: a later one hides an earlier one at the same point
 */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, id, device = '', major, root = '', point, type, source] = LINE.exec(line) ?? [];
    if (point === undefined || type === undefined || source === undefined) return [];
    const paths = { point: unescape(point), root: unescape(root), source: unescape(source) };
    return [{ id: Number(id), ...paths, device, major: Number(major), type }];
  });
}

/** Blanks, tabs, newlines and backslashes are written in octal digits. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
