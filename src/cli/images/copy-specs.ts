/** `copy` and `manifest inspect`, as data. Transports are skopeo's. */
import type { CommandSpec } from '../command.ts';
import { PLATFORM, QUIET, REGISTRY_FLAGS } from './image-specs.ts';

const IMAGE = 'Image';
const OUTPUT = 'Output';
const PLACES = `A place is one of
  NAME[:TAG|@DIGEST], docker://...   in a registry
  oci:DIR[:NAME]                     an OCI layout in a directory
  oci-archive:FILE[:NAME]            an OCI layout in a tar
  docker-archive:FILE[:NAME]         what "docker save" writes
  dir:DIR                            skopeo's directory of an image`;

export const COPY: CommandSpec = {
  name: 'copy', usage: '[FLAGS] SOURCE DESTINATION', summary: 'copy an image between registries, archives and directories', words: [2, 2],
  description: `The store has no part in it, every byte is checked, and no digest changes.\n${PLACES}`,
  flags: [
    { group: IMAGE, name: 'all', short: 'a', kind: 'boolean', help: 'all of an image for several platforms (default: the one for --platform)' }, PLATFORM,
    { group: OUTPUT, name: 'digestfile', kind: 'string', placeholder: 'FILE', help: 'write the digest to a file' }, QUIET, ...REGISTRY_FLAGS,
  ],
  examples: [
    ['caisson copy debian:12 registry.example/mirror/debian:12', 'from one registry to another'], ['caisson copy app:1 oci:layout:app:1', 'into a directory'],
    ['caisson copy -a oci-archive:app.tar docker://localhost:5000/app:1', 'from an archive, for all platforms'],
  ],
};
export const MANIFEST_INSPECT: CommandSpec = {
  name: 'manifest inspect', usage: '[FLAGS] PLACE', summary: 'show the manifest of an image that is elsewhere', words: [1, 1], description: PLACES,
  flags: [
    { group: OUTPUT, name: 'raw', kind: 'boolean', help: 'the bytes as they are' },
    { group: OUTPUT, name: 'verbose', short: 'v', kind: 'boolean', help: 'with its descriptor' }, ...REGISTRY_FLAGS,
  ],
  examples: [['caisson manifest inspect debian:12', ''], ['caisson manifest inspect --raw oci:layout:app:1 | sha256sum', 'its digest']],
};
export const COPY_COMMANDS: readonly CommandSpec[] = [COPY, MANIFEST_INSPECT];
