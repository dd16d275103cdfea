import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComposeError } from './errors.ts';
import type { Project, ServiceSettings } from './model.ts';
import { withDependencies } from './order.ts';
import { readProject } from './project.ts';

interface Given {
  readonly profiles?: readonly string[];
  readonly targets?: readonly string[];
  readonly name?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly warnings?: string[];
}

/** Texts by their names in `/app`; those whose names begin with `compose` are read. */
function read(files: string | Readonly<Record<string, string>>, { profiles = [], targets = [], name, variables = {}, warnings = [] }: Given = {}): Project {
  const texts = typeof files === 'string' ? { 'compose.yaml': files } : files;
  const all = new Map(Object.entries(texts).map(([path, text]) => [`/app/${path}`, text]));
  return readProject({
    files: [...all.keys()].filter((path) => path.startsWith('/app/compose')), directory: '/app', home: '/home/me', name, profiles, targets, lookUp: (variable) => variables[variable], read: (path) => all.get(path), warn: (text) => warnings.push(text),
  });
}

function service(files: Parameters<typeof read>[0], name = 'web', given: Given = {}): ServiceSettings {
  const found = read(files, given).services.find((one) => one.name === name);
  assert.ok(found);
  return found.settings;
}

/** Of one service that has an image already. */
function web(yaml: string): ServiceSettings {
  return service(`services:\n  web:\n    image: x\n    ${yaml}`);
}

function fails(files: Parameters<typeof read>[0], message: string | RegExp, given: Given = {}): void {
  assert.throws(() => read(files, given), (error) => {
    assert.ok(error instanceof ComposeError, String(error));
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}

test('ports: every short form of the specification', () => {
  const tcp = { mode: 'ingress', protocol: 'tcp' };
  for (const [text, wanted] of [
    ['3000', [{ ...tcp, target: 3000 }]], ['3000-3002', [3000, 3001, 3002].map((target) => ({ ...tcp, target }))], ['8000:8000', [{ ...tcp, target: 8000, published: '8000' }]],
    ['9090-9091:8080-8081', [{ ...tcp, target: 8080, published: '9090' }, { ...tcp, target: 8081, published: '9091' }]], ['49100:22', [{ ...tcp, target: 22, published: '49100' }]], ['8000-9000:80', [{ ...tcp, target: 80, published: '8000-9000' }]],
    ['127.0.0.1:8001:8001', [{ ...tcp, host_ip: '127.0.0.1', target: 8001, published: '8001' }]], ['127.0.0.1:5000-5001:5000-5001', [5000, 5001].map((target) => ({ ...tcp, host_ip: '127.0.0.1', target, published: String(target) }))],
    ['[::1]:6000:6000', [{ ...tcp, host_ip: '::1', target: 6000, published: '6000' }]], ['::1:6000:6000', [{ ...tcp, host_ip: '::1', target: 6000, published: '6000' }]], ['6060:6060/udp', [{ mode: 'ingress', protocol: 'udp', target: 6060, published: '6060' }]], ['127.0.0.1::7000', [{ ...tcp, host_ip: '127.0.0.1', target: 7000 }]],
  ] as const) assert.deepEqual(web(`ports: ["${text}"]`).ports, wanted, text);
  assert.deepEqual(web('ports: [80, {target: 80, host_ip: 127.0.0.1, published: 8080, protocol: udp, app_protocol: http}]').ports, [{ ...tcp, target: 80 }, { mode: 'ingress', host_ip: '127.0.0.1', published: '8080', target: 80, protocol: 'udp', app_protocol: 'http' }]);
  for (const text of ['0', '70000', 'x', '80:y', '8000-8001:1-3', '80/what', '1-2000', '']) fails(`services: {web: {image: x, ports: ["${text}"]}}`, /^services\.web\.ports\.0: cannot publish/);
});

test('volumes: short and long forms', () => {
  const file = (volumes: string): string => `services: {web: {image: x, volumes: ${volumes}}}\nvolumes: {data: }`;
  const mounts = service(file('[./a:/a, "~/b:/b:ro", /c:/c:rw, data:/d:nocopy, /e, {type: bind, source: ../f, target: /f}, {type: tmpfs, target: /g, tmpfs: {size: 1m}}, {type: volume, source: data, target: /h, read_only: "true"}]')).volumes;
  assert.deepEqual(mounts, [
    { type: 'bind', source: '/app/a', target: '/a', bind: { create_host_path: true } }, { type: 'bind', source: '/home/me/b', target: '/b', read_only: true, bind: { create_host_path: true } }, { type: 'bind', source: '/c', target: '/c', bind: { create_host_path: true } },
    { type: 'volume', source: 'data', target: '/d', volume: { nocopy: true } }, { type: 'volume', target: '/e' }, { type: 'bind', source: '/f', target: '/f' }, { type: 'tmpfs', target: '/g', tmpfs: { size: '1048576' } }, { type: 'volume', source: 'data', target: '/h', read_only: true },
  ]);
  fails(file('[dta:/x]'), 'service "web" refers to undefined volume "dta"');
  fails(file('["a:b:c:d"]'), /too many or too few parts/);
  fails(file('["./a:b"]'), /"b" is not absolute/);
  fails(file('["./a:/b:what"]'), /no flag "what"/);
});

test('values become what they mean: sizes, times, truth, numbers, octal modes, lists and mappings', () => {
  const made = web('mem_limit: 1.5g\n    stop_grace_period: 90s\n    init: "yes"\n    pids_limit: "10"\n    cpus: "0.5"\n    environment: [A=1, B]\n    labels: {a: 1, b: true}\n    command: a "b c"\n    tmpfs: /run\n    healthcheck: {test: curl x, interval: 1h}\n    ulimits: {nofile: 5}\n    configs: [{source: c, mode: 0440}]\nconfigs: {c: {content: x}}');
  assert.deepEqual([made.mem_limit, made.stop_grace_period, made.init, made.pids_limit, made.cpus], ['1610612736', '1m30s', true, 10, 0.5]);
  assert.deepEqual([made.environment, made.labels, made.command, made.tmpfs, made.ulimits], [{ A: '1', B: null }, { a: '1', b: 'true' }, ['a', 'b c'], ['/run'], { nofile: { soft: 5, hard: 5 } }]);
  assert.deepEqual([made.healthcheck, made.configs], [{ test: ['CMD-SHELL', 'curl x'], interval: '1h0m0s' }, [{ source: 'c', mode: String(0o440) }]]);
});

test('a later file is merged into an earlier one by the rules of the specification', () => {
  const merged = service({
    'compose.yaml': 'services: {web: {image: one, command: [a], environment: {A: 1, B: 1}, dns: [1.1.1.1], ports: ["8080:80"], volumes: ["./x:/work:ro"], labels: {a: x}, healthcheck: {test: [CMD, a], retries: 2}, logging: {driver: json-file, options: {max-size: 1m}}}}',
    'compose.override.yaml': 'services: {web: {command: [b], environment: [B=2], dns: 8.8.8.8, ports: ["8080:80", "9090:80"], volumes: ["./y:/work"], healthcheck: {test: b}, logging: {driver: local}}}',
  });
  assert.deepEqual([merged.image, merged.command, merged.environment, merged.labels], ['one', ['b'], { A: '1', B: '2' }, { a: 'x' }]);
  assert.deepEqual([merged.ports?.map(({ published }) => published), merged.volumes?.map(({ source, read_only: readOnly }) => [source, readOnly])], [['8080', '9090'], [['/app/y', undefined]]]);
  assert.deepEqual([merged.healthcheck, merged.logging], [{ test: ['CMD-SHELL', 'b'], retries: 2 }, { driver: 'local' }]);
});

test('!reset takes away, !override takes the place', () => {
  const merged = service({
    'compose.yaml': 'services: {web: {image: x, ports: ["8080:80"], environment: {FOO: BAR, KEPT: 1}, expose: ["1"], cap_add: [A]}}',
    'compose.override.yaml': 'services:\n  web:\n    ports: !override\n      - "8443:443"\n    environment:\n      FOO: !reset null\n    expose: !reset []\n    cap_add: [B]\n',
  });
  assert.deepEqual([merged.ports?.map(({ published }) => published), merged.environment, merged.expose, merged.cap_add], [['8443'], { KEPT: '1' }, undefined, ['A', 'B']]);
});

test('extends: in the same file, from another one, of one that extends; circles are found', () => {
  const files = {
    'compose.yaml': 'services: {web: {extends: {file: parts/base.yaml, service: mid}, environment: {A: own}}, again: {extends: web, command: x}}',
    'parts/base.yaml': 'services: {base: {image: base, volumes: [./data:/data], environment: {A: base, B: base}}, mid: {extends: base, environment: {C: mid}}}',
  };
  assert.deepEqual(service(files, 'again').environment, { A: 'own', B: 'base', C: 'mid' });
  assert.equal(service(files).volumes?.[0]?.source, '/app/parts/data');
  fails('services: {a: {extends: b}, b: {extends: a}}', 'circular reference: service "a" in "/app/compose.yaml" extends itself');
  fails('services: {a: {extends: nobody}}', 'cannot extend service "nobody" in "/app/compose.yaml": there is none');
  fails('services: {a: {extends: {file: none.yaml, service: a}}}', 'cannot read "/app/none.yaml": no such file');
});

test('include: another project with its own paths and variables; nothing twice', () => {
  const files = {
    'compose.yaml': 'include: [sub/compose.yaml, {path: other/app.yaml, project_directory: ., env_file: other/own.env}]\nservices: {web: {image: x, depends_on: [db, extra]}}',
    'sub/compose.yaml': 'services: {db: {image: "redis:${TAG}", volumes: [./data:/data]}}', 'sub/.env': 'TAG=7\n', 'other/app.yaml': 'services: {extra: {image: "x:${TAG}", volumes: [./data:/data]}}', 'other/own.env': 'TAG=8\n',
  };
  assert.deepEqual(read(files).services.map(({ name, settings }) => [name, settings.image, settings.volumes?.[0]?.source]), [['db', 'redis:7', '/app/sub/data'], ['extra', 'x:8', '/app/data'], ['web', 'x', undefined]]);
  assert.equal(service(files, 'db', { variables: { TAG: '9' } }).image, 'redis:9');
  fails({ ...files, 'sub/compose.yaml': 'services: {web: {image: y}}' }, 'services.web conflicts with what "sub/compose.yaml" has, which is included');
  fails({ ...files, 'sub/compose.yaml': 'include: [compose.yaml]' }, /includes go deeper than|more than 100 files/);
  fails('include: ["oci://example.com/app"]\nservices: {web: {image: x}}', 'cannot include "oci://example.com/app": only files of this machine are included');
});

test('profiles: services without one, of active ones, and those that are named', () => {
  const text = 'services: {web: {image: x}, debug: {image: x, profiles: [debug]}, tool: {image: x, profiles: [tools], depends_on: [debug]}}';
  const names = (given: Given): readonly string[] => read(text, given).services.map(({ name }) => name);
  assert.deepEqual(names({}), ['web']);
  assert.deepEqual(names({ profiles: ['debug'] }), ['debug', 'web']);
  assert.deepEqual(names({ targets: ['debug'] }), ['debug', 'web']);
  assert.deepEqual(names({ profiles: ['*'] }), ['debug', 'tool', 'web']);
  fails(text, 'service "tool" depends on "debug", which no active profile has', { profiles: ['tools'] });
});

test('order: what is needed comes first; circles are found', () => {
  const project = read('services: {a: {image: x, depends_on: [c]}, b: {image: x, links: [a]}, c: {image: x, depends_on: {d: {condition: service_healthy}}}, d: {image: x}, e: {image: x}}');
  assert.deepEqual(project.services.map(({ name }) => name), ['d', 'c', 'a', 'b', 'e']);
  assert.deepEqual(withDependencies(project.services, ['a']).map(({ name }) => name), ['d', 'c', 'a']);
  fails('services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [c]}, c: {image: x, depends_on: [a]}}', 'dependency cycle detected: a -> b -> c -> a');
  assert.deepEqual([...read('services: {a: {image: x, depends_on: {gone: {condition: service_started, required: false}}}}').services[0]!.dependencies], []);
});

test('names: of the project, of networks and volumes', () => {
  const project = read('services: {web: {image: x, networks: [back, other], volumes: ["data:/data"]}}\nnetworks: {back: , other: {external: true, name: shared}}\nvolumes: {data: , kept: {name: own}}', { name: 'shop' });
  assert.deepEqual([...project.networks.values()].map(({ name, external }) => [name, external]), [['shop_back', false], ['shared', true]]);
  assert.deepEqual([...project.volumes.values()].map(({ name }) => name), ['shop_data', 'own']);
  assert.equal(read('name: given\nservices: {web: {image: x}}').name, 'given');
  assert.deepEqual([...read('services: {web: {image: x}}').networks.keys()], ['default']);
  fails('services: {web: {image: x}}', /invalid project name "Not Good"/, { name: 'Not Good' });
});

test('mistakes say where they are, and what may have been meant', () => {
  for (const [text, message] of [
    ['services: {web: {imagee: x}}', 'services.web: there is no "imagee" in the Compose specification'], ['servces: {}', 'there is no "servces" in the Compose specification at the top'], ['services: {web: {image: [x]}}', 'services.web.image must be a text, and is a list'], ['services: {web: {image: 5}}', 'services.web.image must be a text, and is 5'],
    ['services: {web: {image: x, ports: 80}}', 'services.web.ports must be a list, and is 80'], ['services: {web: {image: x, mem_limit: lots}}', 'services.web.mem_limit must be a size such as 512m, and is "lots"'], ['services: {web: {image: x, healthcheck: {interval: 5}}}', 'services.web.healthcheck.interval must be a time such as 1m30s, and is 5'],
    ['services: {web: {}}', 'service "web" has neither an image nor a build context specified'], ['services: {web: {image: x, networks: [back]}}', 'service "web" refers to undefined network "back"'], ['services: {web: {image: x, secrets: [s]}}', 'service "web" refers to undefined secret "s"'], ['services: {web: {image: x, depends_on: {db: {condition: healthy}}}, db: {image: y}}', 'services.web.depends_on.db.condition cannot be "healthy"'],
    ['services: {"a b": {image: x}}', 'services: "a b" is no name'], ['services: {web: {image: x, scale: 2, container_name: one}}', 'services.web: 2 containers cannot all be called "one"'], ['services: {web: {image: x, network_mode: host}}', /^services\.web\.network_mode cannot be "host": the network of this machine is never shared/],
    ['services: {web: {image: x, network_mode: none, networks: [a]}}\nnetworks: {a: }', 'services.web has both "network_mode" and "networks"'], ['services: {}', 'no service selected: the project has none'], ['- a', '"/app/compose.yaml" is no Compose file: it is no mapping'], ['services: {web: {image: x', /^cannot read "\/app\/compose\.yaml": /],
    ['services: {web: {image: x, env_file: gone.env}}', 'services.web.env_file: cannot read "/app/gone.env": no such file'], ['services: {web: {image: x, secrets: [s]}}\nsecrets: {s: {environment: NOT_SET}}', 'secrets.s: the variable NOT_SET is not set'], ['services: {web: {image: x, links: ["db:alias"]}, db: {image: y}}', /the name "alias" for "db" cannot be had/],
  ] as const) fails(text, message);
});

test('what is not done here is said by name: refused where it would mean something else', () => {
  const notes = (yaml: string): readonly (readonly [string, boolean])[] => read(`services: {web: {image: x, ${yaml}}}`).services[0]!.notes.map(({ text, isRefused }) => [text.replace(/:.*/, ''), isRefused]);
  assert.deepEqual(notes('dns_search: example.com, sysctls: {a: 1}, security_opt: ["no-new-privileges:true"]'), [['services.web.dns_search has no effect', false], ['services.web.sysctls has no effect', false], ['services.web.security_opt has no effect', false]]);
  assert.deepEqual(notes('privileged: true'), [['services.web.privileged cannot be had', true]]);
  assert.deepEqual(notes('devices: [/dev/fuse], deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}').map(([, isRefused]) => isRefused), [true, true]);
  assert.deepEqual(notes('privileged: false, ipc: private, devices: [], shm_size: 64m, x-own: {any: thing}'), []);
  assert.deepEqual(read('version: "3"\nservices: {web: {image: x}}').notes.map(({ text }) => text), ['version has no effect: it has had no meaning for years; take it out']);
});

test('hostile files end in an error: aliases that grow, depth, many services, prototypes', () => {
  fails(`a: &a [${'x, '.repeat(50)}]\nb: &b [${'*a, '.repeat(50)}]\nc: &c [${'*b, '.repeat(50)}]\nd: [${'*c, '.repeat(50)}]`, /uses aliases more than 1000 times/);
  fails(`services: {web: ${'{a: '.repeat(200)}x${'}'.repeat(200)}}`, /nested deeper/);
  fails(`services: {${Array.from({ length: 600 }, (_, index) => `s${index}: {image: x}`).join(', ')}}`, 'the project has more than 500 services');
  fails(`services: {web: {image: x, labels: {${Array.from({ length: 600 }, (_, index) => `l${index}: !reset null`).join(', ')}}}}`, /more than 500 uses of !reset/);
  fails('services: {web: {image: x, __proto__: {privileged: true}}}', 'services.web: there is no "__proto__" in the Compose specification');
  assert.equal(read('services: {__proto__: {image: x}}').services[0]?.name, '__proto__');
  assert.deepEqual(Object.keys(read('services: {web: {image: x, environment: {__proto__: y, constructor: z}}}').services[0]!.settings.environment ?? {}), ['__proto__', 'constructor']);
});

test('a variable without a value is told of once', () => {
  const warnings: string[] = [];
  assert.equal(service('services: {web: {image: "x$TAG$TAG"}}', 'web', { warnings }).image, 'x');
  assert.deepEqual(warnings, ['The "TAG" variable is not set. Defaulting to a blank string.']);
});
