/** The commands on registries, as data. */
import type { CommandSpec } from './command.ts';
import type { Flag } from './flags.ts';

const SERVER = 'Server';
const BOUNDS = 'Bounds';

const DIRECTORY: Flag = { group: SERVER, name: 'dir', kind: 'string', placeholder: 'DIR', help: 'where everything is kept (default: registry/ in the store\'s directory)' };

export const SERVE: CommandSpec = {
  name: 'registry serve', usage: '[FLAGS]', summary: 'run a registry of images', words: [0, 0],
  description: 'It speaks the OCI distribution specification 1.1, so Docker, podman, skopeo and "caisson push" use it as they use any other.\nThe address that it listens on is printed when it does. SIGTERM and SIGINT end it when the requests of the moment have ended.',
  flags: [
    { group: SERVER, name: 'listen', kind: 'string', placeholder: 'HOST:PORT', help: 'address (default: 127.0.0.1:5000; port 0: any free one)' }, DIRECTORY,
    { group: BOUNDS, name: 'max-blob-size', kind: 'string', placeholder: 'SIZE', help: 'bytes of a layer as it is sent (default: 64g)' },
  ],
  examples: [['caisson registry serve', 'for this machine, on port 5000'], ['caisson registry serve --listen 0.0.0.0:5000 --dir /srv/registry', 'for others, too']],
};

export const REGISTRY_COMMANDS: readonly CommandSpec[] = [SERVE];
