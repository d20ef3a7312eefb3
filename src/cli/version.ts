/** Put in by the bundler: the version of package.json, and what it was built from. */
declare const PROXTOP_VERSION: string;
declare const PROXTOP_BUILD: string;

/** The version of this program; `development` where it runs from its sources. */
export const version = typeof PROXTOP_VERSION === 'undefined' ? 'development' : PROXTOP_VERSION;

/** What this program was built from, such as `package 0.2.0-1, commit 3366ec0d1a2b`; empty where nobody knows. */
const build = typeof PROXTOP_BUILD === 'undefined' ? '' : PROXTOP_BUILD;

/** The answer to --version. */
export function describeVersion(program: string): string {
  return `${program} ${version}${build === '' ? '' : ` (${build})`}\n`;
}
