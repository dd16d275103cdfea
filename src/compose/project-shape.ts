/** What a Compose file may have at its top (compose-spec 04 to 11, 14-include.md). */
import type { ObjectShape } from './shape.ts';
import { anything, flag, ignored, isObject, list, loose, mapping, object, oneOf, pairs, refused, text, texts } from './shape.ts';
import { SERVICE } from './service-shape.ts';
import { withExternalName } from './short-forms.ts';

const NAME = /^[a-zA-Z0-9._-]+$/;
const NO_SWARM = 'there is no swarm that keeps it; use file, environment or content';
const ONE_DRIVER = 'there is one driver';
const PATH = { is: 'text', path: {} } as const;

function isNothing(value: unknown): boolean {
  return isObject(value as never) && Object.keys(value as object).length === 0;
}

const NETWORK: ObjectShape = {
  ...object({
    name: text, external: flag, internal: flag, labels: pairs(''), attachable: flag, driver: refused(text, 'there is only bridge', (value) => value === 'bridge' || value === 'default'), driver_opts: ignored(mapping(loose), ONE_DRIVER, isNothing),
    enable_ipv4: refused(flag, 'containers reach each other by IPv4', (value) => value === true), enable_ipv6: ignored(flag, 'containers reach each other by IPv4', (value) => value === false),
    ipam: object({
      driver: ignored(text, ONE_DRIVER, (value) => value === 'default'), options: ignored(mapping(loose), ONE_DRIVER, isNothing),
      config: list(object({ subnet: text, gateway: ignored(text, 'it is the first address of the subnet'), ip_range: ignored(text, 'addresses are given out from the first on'), aux_addresses: ignored(mapping(text), 'no address is kept free', isNothing) })),
    }),
  }),
  short: withExternalName,
};
const VOLUME: ObjectShape = {
  ...object({ name: text, external: flag, labels: pairs(''), driver: refused(text, 'there is only local', (value) => value === 'local'), driver_opts: refused(mapping(loose), 'name the directory of this machine in the service', isNothing) }), short: withExternalName,
};
const FILE = { name: text, file: PATH, environment: text, external: refused(flag, NO_SWARM, (value) => value === false), labels: pairs(''), template_driver: refused(text, 'templates are not filled') };
const SECRET: ObjectShape = { ...object({ ...FILE, driver: refused(text, NO_SWARM), driver_opts: ignored(mapping(loose), ONE_DRIVER, isNothing) }), short: withExternalName };
const CONFIG: ObjectShape = { ...object({ ...FILE, content: text }), short: withExternalName };

/** `include`: read by `load.ts` before anything else of its file. */
export const INCLUDES = list({ ...object({ path: texts(), env_file: texts(), project_directory: text }, 'path'), short: (value) => (typeof value === 'string' ? { path: [value] } : value) });

export const PROJECT: ObjectShape = object({
  version: ignored(loose, 'it has had no meaning for years; take it out'), name: text, include: anything, services: mapping(SERVICE, NAME), networks: mapping(NETWORK, NAME), volumes: mapping(VOLUME, NAME), secrets: mapping(SECRET, NAME), configs: mapping(CONFIG, NAME),
  models: refused(anything, 'no language models are run'),
});

export const PULL_POLICY = oneOf('always', 'never', 'missing', 'if_not_present', 'build', 'daily', 'weekly');
