/**
 * Makes `recorded.json`: the same containers as Docker's client asks for them, and as Podman, its Docker API, its OCI bundles and `podman generate kube` show them.
 * It needs root, podman, and Docker's client (no daemon: a server here takes its request); the tests need none of them.
 *
 *   node --import tsx test/audit/record.ts
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Flags that Docker and Podman both have. What is mounted is there on every machine. */
const CASES: Readonly<Record<string, readonly string[]>> = {
  plain: [],
  privileged: ['--privileged', '--pid=host', '-v', '/run:/run', '-p', '8080:80'],
  namespaces: ['--network=host', '--uts=host', '--ipc=host', '--cap-add=SYS_ADMIN', '--cap-drop', 'SETUID', '--security-opt', 'seccomp=unconfined', '-v', '/etc:/host/etc:ro,rshared'],
  devices: ['--device', '/dev/fuse', '--cap-add=SYS_PTRACE,NET_ADMIN', '--security-opt', 'apparmor=unconfined', '--memory=64m', '--cpus=1.5', '--tmpfs', '/scratch', '-e', 'DB_PASSWORD=hunter2hunter2', '--mount', 'type=bind,source=/var/log,target=/logs'],
  hardened: ['--cap-drop=ALL', '--security-opt=no-new-privileges', '--read-only', '--user=65532:65532', '--memory', '64m', '--pids-limit', '50', '--cpus', '0.5', '--ulimit', 'nofile=100:200', '-p', '127.0.0.1:8080:80', '--restart=on-failure:3'],
  everything: ['--cap-add=ALL', '--security-opt=label=disable', '--sysctl', 'net.ipv4.ip_forward=1', '--device-cgroup-rule', 'b 8:* rwm', '-p', '443:443/tcp', '-v', '/:/host'],
};
const IMAGE = 'localhost/audit:1';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-audit-'));
const storage = ['--root', join(scratch, 'root'), '--runroot', join(scratch, 'run'), '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs'];

function run(program: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', input, maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const podman = (...args: readonly string[]): string => run('podman', [...storage, ...args]);

/** What `docker create` sends. */
async function dockerRequest(flags: readonly string[]): Promise<unknown> {
  let body: unknown;
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const answer = (status: number, value: unknown): void => void outgoing.writeHead(status, { 'content-type': 'application/json', 'api-version': '1.50', ostype: 'linux' }).end(JSON.stringify(value));
      if (incoming.url?.includes('/containers/create') === true) {
        body = JSON.parse(Buffer.concat(chunks).toString());
        answer(201, { Id: 'a'.repeat(64), Warnings: [] });
      } else answer(200, { ApiVersion: '1.50', Os: 'linux' });
    });
  });
  const socket = join(scratch, `docker-${Math.random()}.sock`);
  await new Promise<void>((resolve) => void server.listen(socket, resolve));
  await new Promise((resolve) => spawn('docker', ['-H', `unix://${socket}`, 'create', ...flags, IMAGE, 'sh'], { stdio: ['ignore', 'ignore', 'inherit'] }).on('close', resolve));
  server.close();
  return body;
}

function get(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString())));
    }).on('error', reject).end();
  });
}

/** Written when the container is about to start; whether the runtime may start it here does not matter. */
function bundleOf(id: string): unknown {
  const { stderr } = spawnSync('podman', [...storage, 'container', 'init', id], { encoding: 'utf8' });
  const directory = readdirSync(join(scratch, 'root/vfs-containers')).find((name) => name.startsWith(id)) ?? '';
  const file = join(scratch, 'root/vfs-containers', directory, 'userdata/config.json');
  if (!existsSync(file)) throw new Error(`no bundle: ${stderr}`);
  const bundle = JSON.parse(readFileSync(file, 'utf8')) as { linux: { devices?: unknown[] } };
  // Those of the machine are many, and a few say as much.
  bundle.linux.devices?.splice(12);
  return bundle;
}

/** Without what is of this machine only. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(scratch, '/var/lib/audit')) as unknown;
}

mkdirSync(join(scratch, 'empty'));
run('sh', ['-c', `tar -C ${scratch}/empty -c . | podman ${storage.join(' ')} import - ${IMAGE}`]);
const socket = join(scratch, 'podman.sock');
const service = spawn('podman', [...storage, 'system', 'service', '--time', '0', `unix://${socket}`], { stdio: 'ignore' });
await new Promise((resolve) => setTimeout(resolve, 2000));
const recorded: unknown[] = [];
try {
  for (const [name, flags] of Object.entries(CASES)) {
    const id = podman('create', '--name', name, ...flags, IMAGE, 'sh').trim();
    const kube = spawnSync('podman', [...storage, 'generate', 'kube', name], { encoding: 'utf8' });
    recorded.push(plain({
      name, flags, image: IMAGE, dockerRequest: await dockerRequest(flags), podmanInspect: JSON.parse(podman('inspect', name)) as unknown,
      dockerInspect: await get(socket, `/v1.41/containers/${name}/json`), bundle: bundleOf(id), ...(kube.status === 0 ? { kubernetes: kube.stdout } : {}),
    }));
  }
} finally {
  service.kill();
  spawnSync('podman', [...storage, 'rm', '--all', '--force', '--time', '0']);
  rmSync(scratch, { recursive: true, force: true });
}
writeFileSync(fileURLToPath(new URL('recorded.json', import.meta.url)), `${JSON.stringify(recorded, undefined, 1)}\n`);
