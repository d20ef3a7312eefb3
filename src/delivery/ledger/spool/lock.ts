import { lstat, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { defaultRoots, Paths } from '../../../kernel/base/paths.ts';

/** Another process uses the directory. */
export class SpoolInUseError extends Error {
  override readonly name = 'SpoolInUseError';

  /** @param who uses it, for messages */
  constructor(
    directory: string,
    readonly who: string,
  ) {
    super(`the spool ${directory} is used by ${who}: give this one a state_dir of its own`);
  }
}

/** Another part of this process still uses the directory: an output that is about to end. */
export class SpoolBusyError extends Error {
  override readonly name = 'SpoolBusyError';
}

const paths = new Paths(defaultRoots);
/** ms that a holder has to say who it is. */
const answerDeadline = 500;
const attempts = 5;
/** Devices and inodes of the directories that this process holds. */
const ours = new Set<string>();

/**
 * Keeps two processes from using one directory. Node has no flock, and a pid means nothing in another pid namespace. So the
 * holder listens on a unix socket in the directory, `holder.N`: the kernel finds it by its inode, whatever the namespaces
 * of the two, and closes it with its process. A socket on which nothing listens is dead.
 *
 * Only one process can bind a name, but a socket that is bound and does not listen yet looks dead. So a process that has
 * begun to listen checks all others again and gives way to one that is alive: of two processes at least one sees the other.
 * This needs no space on a full disk. Processes of different machines on one network file system do not see each other.
 */
export class DirectoryLock {
  private constructor(
    /** Stays open: by it the server removes its socket at the end, wherever the directory is then. */
    private readonly directory: FileHandle,
    private readonly server: Server,
    private readonly path: string,
    private readonly inode: number,
    private readonly key: string,
  ) {}

  /**
   * Takes the directory, which must exist.
   *
   * @throws SpoolInUseError when another process has it; SpoolBusyError when this one has; an error of node:fs or node:net
   */
  static async take(directory: string): Promise<DirectoryLock> {
    const handle = await open(directory, 'r');
    let key: string | undefined;
    try {
      const { dev, ino } = await handle.stat();
      key = `${dev}:${ino}`;
      if (ours.has(key)) {
        key = undefined;
        throw new SpoolBusyError(`the spool ${directory} is still in use by an output that is closing`);
      }
      ours.add(key);
      const { server, path } = await takeFrom(directory, handle.fd);
      return new DirectoryLock(handle, server, path, (await lstat(path)).ino, key);
    } catch (error) {
      if (key !== undefined) ours.delete(key);
      await handle.close();
      throw error;
    }
  }

  /** Whether we still hold the directory: it was not deleted or replaced. */
  async holds(): Promise<boolean> {
    const stat = await lstat(this.path).catch(() => undefined);
    return stat?.ino === this.inode;
  }

  async release(): Promise<void> {
    ours.delete(this.key);
    await closed(this.server);
    await this.directory.close();
  }
}

/**
 * The pid of the process that holds a directory, empty if it does not say; undefined when none does.
 *
 * @throws an error of node:fs
 */
export async function holderOf(directory: string): Promise<string | undefined> {
  const handle = await open(directory, 'r');
  try {
    for (const holder of await holders(directory)) {
      const pid = await ask(join(near(handle.fd), holder));
      if (pid !== undefined) return pid;
    }
    return undefined;
  } finally {
    await handle.close();
  }
}

/** A short name of an open directory: the path of a socket has 107 bytes at most. */
function near(fd: number): string {
  return paths.proc(`self/fd/${fd}`);
}

async function takeFrom(
  directory: string,
  fd: number,
): Promise<{ readonly server: Server; readonly path: string }> {
  for (let attempt = 1; ; attempt++) {
    const before = await holders(directory);
    for (const holder of before) await refuseWhereAlive(directory, join(near(fd), holder));
    const name = `holder.${Math.max(0, ...before.map(numberOf)) + 1}`;
    const server = await listen(join(near(fd), name));
    if (server === undefined) continue;
    const others = (await holders(directory)).filter((holder) => holder !== name);
    try {
      for (const other of others) await refuseWhereAlive(directory, join(near(fd), other));
    } catch (error) {
      await closed(server);
      if (attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * attempt));
      continue;
    }
    for (const dead of others) await rm(join(directory, dead), { force: true });
    return { server, path: join(directory, name) };
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

async function holders(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((file) => /^holder\.\d+$/.test(file));
}

function numberOf(holder: string): number {
  return Number(holder.slice('holder.'.length));
}

async function refuseWhereAlive(directory: string, path: string): Promise<void> {
  const pid = await ask(path);
  if (pid === undefined) return;
  const who = pid === '' ? 'another proxtop' : `another proxtop, process ${pid}`;
  throw new SpoolInUseError(directory, who);
}

/** Asks the holder for its pid: undefined when nothing listens, empty when it does not answer in time. */
function ask(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let pid = '';
    let alive = true;
    const timer = setTimeout(() => socket.destroy(), answerDeadline);
    socket.on('data', (data) => (pid += data.toString('latin1')));
    socket.once('end', () => socket.destroy());
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      // Any other error does not prove it dead: too many clients may be waiting already.
      alive = code !== 'ECONNREFUSED' && code !== 'ENOENT';
    });
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(alive ? (/^\d+/.exec(pid)?.[0] ?? '') : undefined);
    });
  });
}

/** Undefined when the name is taken. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(`${process.pid}\n`);
    });
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => {
      resolve(server);
    });
  });
}
