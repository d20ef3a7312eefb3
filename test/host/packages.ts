import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BUILD = fileURLToPath(new URL('../../build', import.meta.url));

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
