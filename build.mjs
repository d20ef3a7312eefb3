// Bundles src/ into dist/: a few files, code that only one face needs split off and loaded when used.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { buildReportPage } from './report-page.mjs';
import { billOfMaterials, bundledPackages } from './sbom.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const programs = ['proxtop', 'proxprofiler'];

/** What --version says of this build: what the package says it is, else the commit, which a copy without .git does not know. */
function buildName() {
  const { PROXTOP_BUILD: given } = process.env;
  if (given !== undefined) return given;
  const git = (...args) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const modified = git('status', '--porcelain') === '' ? '' : ', modified';
    return `commit ${git('rev-parse', '--short=12', 'HEAD')}${modified}`;
  } catch {
    return '';
  }
}

rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
  metafile: true,
  entryPoints: programs.map((name) => `src/${name}.ts`),
  outdir: 'dist/lib',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  chunkNames: '[name]-[hash]',
  legalComments: 'none',
  // Smaller by a third. Names stay, and lines too short to fill a screen when Node prints the one that threw.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 120,
  // A native addon, loaded where there is one for this version of Node (src/daemon/notify.ts).
  external: ['sd-notify'],
  define: { PROXTOP_VERSION: JSON.stringify(version), PROXTOP_BUILD: JSON.stringify(buildName()) },
  // CommonJS dependencies inside an ESM bundle still call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
const page = await buildReportPage();
// The addon, with the packages that find it.
const addonFiles = {
  'sd-notify': ['package.json', 'index.js', 'build/Release/notify.node'],
  bindings: ['package.json', 'bindings.js'],
  'file-uri-to-path': ['package.json', 'index.js'],
};
const hasAddon = existsSync('node_modules/sd-notify/build/Release/notify.node');
if (hasAddon) {
  for (const [name, files] of Object.entries(addonFiles))
    for (const file of files) cpSync(`node_modules/${name}/${file}`, `dist/node_modules/${name}/${file}`);
}
const packages = [
  ...bundledPackages(metafile),
  ...bundledPackages(page.metafile),
  ...(hasAddon ? Object.keys(addonFiles) : []),
];
writeFileSync('dist/sbom.cdx.json', billOfMaterials(version, packages));
writeFileSync('dist/package.json', '{ "type": "module" }\n');
// import() works whether Node takes a file without extension for CommonJS or for ESM; that differs between its versions.
// What the flags are for: src/daemon/memory.ts.
const node = '/usr/bin/env -S node --max-semi-space-size=1 --expose-gc';
// SIGUSR1 opens Node's debugger, through which every local user runs code as the user of this process. So it is taken
// before anything else is loaded; Debian 13's Node does not know --disable-sigusr1. A signal that came while Node itself
// was starting has opened one already: then the process ends, by a signal because its exit would wait for a client.
const guard = (name) => `process.on('SIGUSR1', () => undefined);
const asked = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((text) => text.includes('--inspect'));
if (!asked && process.getBuiltinModule('node:inspector').url() !== undefined) {
  process.getBuiltinModule('node:fs').writeSync(2, '${name}: ends, because SIGUSR1 opened a debugger at its start\\n');
  process.kill(process.pid, 'SIGKILL');
}`;
for (const name of programs) {
  writeFileSync(
    `dist/${name}`,
    `#!${node}
${guard(name)}
import('./lib/${name}.js');
`,
  );
  chmodSync(`dist/${name}`, 0o755);
}
