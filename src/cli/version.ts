/** The version of the package, put in by the build. */
declare const CAISSON_VERSION: string | undefined;

export const version: string = typeof CAISSON_VERSION === 'string' ? CAISSON_VERSION : '0.0.0-source';
