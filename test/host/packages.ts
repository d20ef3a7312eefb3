import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILD = join(ROOT, 'build');

/** The package that `make deb` made. @throws Error when there is none */
export function builtPackage(): string {
  const found = readdirSync(BUILD).filter((file) => /^proxtop_.*\.deb$/.test(file));
  const [file] = found;
  if (file === undefined || found.length > 1)
    throw new Error(`build/ holds ${found.length} packages, expected one: make deb`);
  return join(BUILD, file);
}

/** A package in place of the original program: nothing but its configuration file. */
export function originalPackage(directory: string): string {
  const tree = join(directory, 'original');
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
  mkdirSync(join(tree, 'etc'));
  const control = {
    Package: 'proxtop',
    Version: '0.0.1',
    Architecture: 'all',
    Maintainer: 'nobody <nobody@localhost>',
    Description: 'stands for the original program',
  };
  const lines = Object.entries(control).map(([key, value]) => `${key}: ${value}\n`);
  writeFileSync(join(tree, 'DEBIAN/control'), lines.join(''));
  writeFileSync(join(tree, 'DEBIAN/conffiles'), '/etc/proxtop.conf\n');
  writeFileSync(join(tree, 'etc/proxtop.conf'), 'PROXTOP_TARGET=localhost:12345\n');
  return packed(tree);
}

/** The next version of a package, which ships another configuration file. */
export function nextPackage(directory: string, file: string): string {
  const tree = join(directory, 'next');
  execFileSync('dpkg-deb', ['--raw-extract', file, tree]);
  const control = join(tree, 'DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*/m, '$&+next'));
  appendFileSync(join(tree, 'etc/proxtop.conf'), '; a later version says more here\n');
  return packed(tree);
}

function packed(tree: string): string {
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, `${tree}.deb`], { stdio: 'pipe' });
  return `${tree}.deb`;
}

/** The commit of release 0.1.0. */
const RELEASE_BEFORE = '664da81';

/** Whether the sources of the release before can be had: not in a copy without history. */
export function hasReleaseBefore(): boolean {
  return spawnSync('git', ['cat-file', '-e', `${RELEASE_BEFORE}^{commit}`], { cwd: ROOT }).status === 0;
}

/** The package of the release before, made of its sources, but without the native addon, which takes long to compile. */
export function releaseBefore(directory: string): string {
  const tree = join(directory, 'before');
  mkdirSync(tree);
  const run = (command: string): void => {
    execFileSync('sh', ['-euc', command], { cwd: tree, stdio: 'pipe' });
  };
  run(`git -C '${ROOT}' archive ${RELEASE_BEFORE} | tar -x && ln -s '${ROOT}/node_modules' node_modules`);
  run(`sed -i -e 's/.(MAKE) addon build/node build.mjs/' -e '/chmod.*notify.node/d' debian/rules`);
  run("sed -i 's, dist/node_modules,,' debian/install");
  run('dpkg-buildpackage --build=binary --no-sign');
  const file = readdirSync(directory).find((name) => /^proxtop_0\.1\.0_.*\.deb$/.test(name));
  if (file === undefined) throw new Error('dpkg-buildpackage made no package of 0.1.0');
  return join(directory, file);
}
