/** YAML that is not trusted: the door of the room. */
export { YamlError } from './errors.ts';
export { ValueReader, parseDocuments } from './read.ts';
export type { ParsedText, ValueHooks } from './read.ts';
