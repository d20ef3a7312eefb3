// Bundles src/ into dist/: a few files, code that only one face needs split off and loaded when used.
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const programs = ['proxtop', 'proxprofiler'];

rmSync('dist', { recursive: true, force: true });
await build({
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
const addon = 'build/Release/notify.node';
if (existsSync(`node_modules/sd-notify/${addon}`)) {
  for (const file of [
    ...['package.json', 'index.js', addon].map((name) => `sd-notify/${name}`),
    ...['package.json', 'bindings.js'].map((name) => `bindings/${name}`),
    ...['package.json', 'index.js'].map((name) => `file-uri-to-path/${name}`),
  ]) {
    cpSync(`node_modules/${file}`, `dist/node_modules/${file}`);
  }
}
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
