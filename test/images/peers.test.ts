/**
 * Four kinds of images from the store to peers and back: skopeo, and, as root, Podman and Buildah with stores of their own (not Debian's). Digests of manifests
 * agree where a peer keeps them (skopeo, registries); Podman and Buildah compress layers anew, so there the images' ids do, which are digests of
 * all that is in them.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { busyboxLayout, commandIn, debianTar, goLayout, kindsLayout, peer, storageFlags } from './fixtures.ts';
import { registriesIn } from './registry-testing.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-peers-'));
const env = { CAISSON_HOME: join(scratch, 'store'), DOCKER_CONFIG: join(scratch, 'docker') };
const { mustRun } = commandIn(env);
const { startRegistry, stop } = registriesIn(scratch);
const isRoot = process.getuid?.() === 0;
const at = (name: string): string => join(scratch, name);
let registry = '';

/** Name in the store, and what a command in it says. */
const IMAGES: readonly (readonly [name: string, command: readonly string[], says: RegExp])[] = [
  ['busybox:1', ['echo', 'hi'], /^hi\n$/], ['hello:1', ['a', 'b'], /^hello from linux amd64 \[499500 499500 499500 499500\] 7 \[a b\] \[dev etc hello proc sys\]\n$|^hello from linux amd64 \[499500 499500 499500 499500\] 7 \[a b\] \[dev hello proc sys\]\n$/],
  ['kinds:30', ['echo', 'hi'], /^hi\n$/], ['debian:12', ['bash', '-c', 'echo $BASH_VERSION'], /^5\./],
];

const [podman, buildah] = [storageFlags(at('podman-root')), storageFlags(at('buildah-root'))];

before(async () => {
  registry = await startRegistry();
  for (const layout of [busyboxLayout(), goLayout(), kindsLayout()]) await mustRun(['load', '-q', '-i', layout]);
  await mustRun(['import', debianTar(), 'debian:12'], { timeoutMs: 300_000 });
});

after(() => {
  stop();
  rmSync(scratch, { recursive: true, force: true });
});

async function factsOf(name: string, home = env.CAISSON_HOME): Promise<{ readonly id: string; readonly digest: string }> {
  const [id = '', digest = ''] = (await mustRun(['inspect', '-f', '{{.Id}} {{.Target.Digest}}', name], { env: { CAISSON_HOME: home } })).trim().split(' ');
  return { id, digest };
}

for (const [name, command, says] of IMAGES) {
  test(`${name} runs, and goes by skopeo to a layout, a registry and back`, async () => {
    const { id, digest } = await factsOf(name);
    assert.match(await mustRun(['run', name, ...command]), says);
    await mustRun(['save', '-o', at('saved.tar'), name]);
    peer('skopeo', ['copy', '--quiet', '--preserve-digests', `oci-archive:${at('saved.tar')}`, `oci:${at('theirs')}:${name}`]);
    peer('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', '--preserve-digests', `oci:${at('theirs')}:${name}`, `docker://${registry}/theirs/${name}`]);
    const home = at('back');
    await mustRun(['pull', '-q', `${registry}/theirs/${name}`], { env: { CAISSON_HOME: home } });
    assert.deepEqual(await factsOf(`${registry}/theirs/${name}`, home), { id, digest });
    await mustRun(['push', '-q', name, `${registry}/ours/${name}`]);
    const raw = (where: string): string => peer('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${registry}/${where}/${name}`]).stdout;
    assert.equal(raw('ours'), raw('theirs'));
  });

  // Debian's is the slowest by far, and the others have all that it has.
  if (name === 'debian:12') continue;
  test(`${name} goes through Podman and Buildah`, async () => {
    if (!isRoot) return; // as an ordinary user both need ids that the machine must have been set up for
    const { id } = await factsOf(name);
    const file = at('for-peers.tar');
    await mustRun(['save', '-o', file, name]);
    const full = `docker.io/library/${name}`;
    peer('podman', [...podman, 'load', '-q', '-i', file]);
    assert.equal(peer('podman', [...podman, 'image', 'inspect', '--format', '{{.Id}}', full]).stdout.trim(), id.slice(7));
    peer('buildah', [...buildah, 'pull', '-q', `oci-archive:${file}`]);
    assert.equal(peer('buildah', [...buildah, 'inspect', '--type', 'image', '--format', '{{.FromImageID}}', full]).stdout.trim(), id.slice(7));
    rmSync(file);
    // Podman makes no archive for Docker of layers in zstd.
    for (const format of name === 'kinds:30' ? ['oci-archive'] : ['docker-archive', 'oci-archive']) {
      const theirs = at(`podman-${format}.tar`);
      peer('podman', [...podman, 'save', '-q', '--format', format, '-o', theirs, full]);
      const home = at(`from-podman-${format}`);
      await mustRun(['load', '-q', '-i', theirs], { env: { CAISSON_HOME: home } });
      assert.equal((await factsOf(name, home)).id, id, format);
      rmSync(theirs);
    }
    peer('buildah', [...buildah, 'push', '-q', '--tls-verify=false', full, `docker://${registry}/buildah/${name}`]);
    await mustRun(['pull', '-q', `${registry}/buildah/${name}`], { env: { CAISSON_HOME: at('from-buildah') } });
    assert.equal((await factsOf(`${registry}/buildah/${name}`, at('from-buildah'))).id, id);
    peer('podman', [...podman, 'rmi', '-f', full]);
    peer('buildah', [...buildah, 'rmi', '-f', full]);
    assert.match(await mustRun(['system', 'check']), /clean\n/);
  });
}
