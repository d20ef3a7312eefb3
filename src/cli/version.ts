/** Put in by the bundler, from package.json. */
declare const PROXTOP_VERSION: string;

/** The version of this program; `development` where it runs from its sources. */
export const version = typeof PROXTOP_VERSION === 'undefined' ? 'development' : PROXTOP_VERSION;
