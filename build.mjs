// Bundles src/ into dist/: a few files, code that only one face needs split off and loaded when used.
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { billOfMaterials, bundledPackages } from './sbom.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const programs = ['proxtop', 'proxprofiler'];

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
  // A native addon, loaded where there is one for this version of Node (src/daemon/notify.ts).
  external: ['sd-notify'],
  define: { PROXTOP_VERSION: JSON.stringify(version) },
  // CommonJS dependencies inside an ESM bundle still call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
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
const packages = [...bundledPackages(metafile), ...(hasAddon ? Object.keys(addonFiles) : [])];
writeFileSync('dist/sbom.cdx.json', billOfMaterials(version, packages));
writeFileSync('dist/package.json', '{ "type": "module" }\n');
// import() works whether Node takes a file without extension for CommonJS or for ESM; that differs between its versions.
// What the flags are for: src/daemon/memory.ts.
const node = '/usr/bin/env -S node --max-semi-space-size=1 --expose-gc';
for (const name of programs) {
  writeFileSync(
    `dist/${name}`,
    `#!${node}
import('./lib/${name}.js');
`,
  );
  chmodSync(`dist/${name}`, 0o755);
}
