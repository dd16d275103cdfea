/** The Node.js door: the only room below the command line that imports `node:*`. */
export { createNodeHost } from './host.ts';
export type { NodeHostOptions } from './host.ts';
export { nodeFiles } from './files.ts';
