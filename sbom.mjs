// What the programs are made of besides our own code: the bill of materials of the package.
import { readFileSync } from 'node:fs';

/** The npm packages of which esbuild took code. */
export function bundledPackages({ outputs }) {
  const names = Object.values(outputs)
    .flatMap(({ inputs }) => Object.keys(inputs))
    .map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** A bill of materials after CycloneDX 1.5 (JSON). It says nothing of time and place: the same sources, the same bytes. */
export function billOfMaterials(version, packages) {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
  const own = { type: 'application', 'bom-ref': `proxtop@${version}`, name: 'proxtop', version };
  const licensed = (license) => [{ license: { id: license } }];
  const components = [...packages].sort().map((name) => {
    const { version: found, license, integrity } = lock[`node_modules/${name}`];
    const [, hash] = integrity.split('-');
    return {
      type: 'library',
      'bom-ref': `${name}@${found}`,
      name,
      version: found,
      purl: `pkg:npm/${name.replace('@', '%40')}@${found}`,
      licenses: licensed(license),
      hashes: [{ alg: 'SHA-512', content: Buffer.from(hash, 'base64').toString('hex') }],
    };
  });
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { ...own, licenses: licensed('GPL-3.0-or-later') } },
    components,
    dependencies: [{ ref: own['bom-ref'], dependsOn: components.map((component) => component['bom-ref']) }],
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}
