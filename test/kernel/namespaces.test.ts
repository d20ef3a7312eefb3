import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { KernelFile } from '../../src/kernel/base/kernel-file.ts';
import { hasHostNetwork, hostNameFile, namespaceOf } from '../../src/kernel/base/namespaces.ts';
import { Paths, defaultRoots } from '../../src/kernel/base/paths.ts';

const skip = process.getuid?.() !== 0 && 'needs root (namespaces)';
const source = join(import.meta.dirname, '../../src/kernel');

test('in the namespaces of the host', () => {
  const paths = new Paths(defaultRoots);
  assert.equal(paths.hostNet('dev'), '/proc/1/net/dev');
  assert.ok(hasHostNetwork(paths, 'self'));
  const file = new KernelFile(hostNameFile(paths));
  assert.equal(file.text(), hostname());
  file.close();
});

test('where the first process is not to be seen our own namespace has to do', () => {
  const paths = new Paths({ ...defaultRoots, procfs: '/mnt/other' });
  assert.equal(paths.hostNet('dev'), '/mnt/other/net/dev');
  assert.equal(hostNameFile(paths), '/mnt/other/sys/kernel/hostname');
});

test('in a container with the procfs of the host at another place', { skip }, (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'proxtop-namespaces-'));
  t.after(() => {
    rmSync(directory, { recursive: true });
  });
  const procfs = join(directory, 'proc');
  mkdirSync(procfs);
  const script = `
    import { KernelFile } from '${source}/base/kernel-file.ts';
    import { hostNameFile, hostNameTrouble } from '${source}/base/namespaces.ts';
    import { Paths, defaultRoots } from '${source}/base/paths.ts';
    const paths = new Paths({ ...defaultRoots, procfs: '${procfs}' });
    const text = (path) => new KernelFile(path, true).text() ?? null;
    const [net, name] = [text(paths.hostNet('dev')), text(hostNameFile(paths))];
    const trouble = hostNameTrouble(paths) ?? null;
    console.log(JSON.stringify({ net, name, trouble, ours: text('/proc/net/dev') }));`;
  const shell = `
    mount --rbind /proc ${procfs}
    ip link add ghost0 type ifb
    hostname somebox
    exec "$@"`;
  const node = [
    process.execPath,
    '--import',
    import.meta.resolve('tsx'),
    '--input-type=module',
    '-e',
    script,
  ];
  const printed = execFileSync('unshare', ['--net', '--uts', '--mount', 'sh', '-ec', shell, 'sh', ...node], {
    encoding: 'utf8',
  });
  const { net, name, trouble, ours } = JSON.parse(printed) as {
    readonly [text in 'net' | 'ours']: string;
  } & { readonly [text in 'name' | 'trouble']: string | null };
  const namesIn = (table: string): string[] => [...table.matchAll(/^ *(\S+):/gm)].map(([, nic]) => nic ?? '');
  assert.ok(namesIn(ours).includes('ghost0'));
  assert.deepEqual(namesIn(net), namesIn(readFileSync('/proc/1/net/dev', 'utf8')));
  // Only who may trace the first process gets at the name; the others get none rather than that of the container.
  const readable = namespaceOf(new Paths(defaultRoots), 1, 'uts') !== undefined;
  assert.equal(trouble === null, readable);
  assert.equal(name, readable ? readFileSync('/etc/hostname', 'utf8').trim() : null);
});
