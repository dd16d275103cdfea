/** Which packages and images statements of VEX are about. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { isMeant } from '../../src/scan/advisories/vex-products.ts';
import type { Scanned } from '../../src/scan/advisories/vex-products.ts';
import type { Package } from '../../src/scan/packages/types.ts';
import { scanPlace } from './testing.ts';

const { scratch, write, json, mustRun } = scanPlace();
const OPENSSL: Package = { type: 'deb', name: 'libssl3', version: '3.0.11-1', architecture: 'amd64', sourceName: 'openssl' };
const DIGEST = `sha256:${'a'.repeat(64)}`;
const SCANNED: Scanned = { target: 'registry.example:5000/team/app:1', digests: [DIGEST], distribution: { id: 'debian', version: '12', codename: 'bookworm' } };

test('a package URL means its type, namespace, name, version, architecture and release, as far as it says them', () => {
  const meant = ['pkg:deb/debian/libssl3', 'pkg:deb/libssl3', 'pkg:deb/debian/openssl@3.0.11-1', 'pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12', 'pkg:deb/debian/libssl3?distro=bookworm', 'pkg:deb/debian/openssl?arch=source', 'pkg:deb/Debian/libssl3?distro=debian-bookworm', 'pkg:deb/debian/libssl3?distro=debian'];
  const others = ['pkg:deb/ubuntu/libssl3', 'pkg:deb/ubuntu/libssl3@3.0.11-1', 'pkg:deb/debian/libssl3?distro=debian-11', 'pkg:deb/debian/libssl3?distro=trixie', 'pkg:deb/debian/libssl3?arch=arm64', 'pkg:deb/debian/libssl3@3.0.11-2', 'pkg:rpm/debian/libssl3', 'pkg:npm/libssl3', 'pkg:deb/debian/libssl', 'libssl3', 'pkg:deb/', ''];
  for (const name of meant) assert.equal(isMeant({ name }, OPENSSL, SCANNED), true, name);
  for (const name of others) assert.equal(isMeant({ name }, OPENSSL, SCANNED), false, name);
  const nobody = { ...SCANNED, distribution: undefined };
  assert.deepEqual(['pkg:deb/libssl3', 'pkg:deb/debian/libssl3'].map((name) => isMeant({ name }, OPENSSL, nobody)), [true, false]);
});

test('vendors of RPM are called by other names in package URLs; a point release is of its release', () => {
  const own: Package = { type: 'rpm', name: 'bash', version: '5.1-6', architecture: 'x86_64' };
  const on = (id: string, version: string): Scanned => ({ ...SCANNED, distribution: { id, version } });
  assert.equal(isMeant({ name: 'pkg:rpm/redhat/bash?arch=x86_64' }, own, on('rhel', '9.4')), true);
  assert.equal(isMeant({ name: 'pkg:rpm/redhat/bash' }, own, on('fedora', '40')), false);
  assert.equal(isMeant({ name: 'pkg:rpm/opensuse/bash?distro=opensuse-leap-15.5' }, own, on('opensuse-leap', '15.5')), true);
  assert.equal(isMeant({ name: 'pkg:apk/alpine/musl?distro=alpine-3.20' }, { type: 'apk', name: 'musl', version: '1' }, on('alpine', '3.20.1')), true);
  assert.equal(isMeant({ name: 'pkg:apk/alpine/musl?distro=alpine-3.2' }, { type: 'apk', name: 'musl', version: '1' }, on('alpine', '3.20.1')), false);
});

test('a package within an image is meant in that image only; namespaces of languages are part of the name', () => {
  const name = 'pkg:deb/debian/openssl';
  const here = [`pkg:oci/app@${DIGEST.replace(':', '%3A')}?repository_url=registry.example/team/app`, 'pkg:oci/app?tag=1', 'pkg:docker/team/app@1', SCANNED.target, 'https://example.com/products/app'];
  const elsewhere = ['pkg:oci/other', `pkg:oci/app@sha256%3A${'b'.repeat(64)}`, 'pkg:oci/app?tag=2', 'pkg:docker/team/app@2', 'pkg:golang/example.com/app'];
  for (const within of here) assert.equal(isMeant({ name, within }, OPENSSL, SCANNED), true, within);
  for (const within of elsewhere) assert.equal(isMeant({ name, within }, OPENSSL, SCANNED), false, within);
  for (const [image, is] of [['pkg:oci/app', true], [SCANNED.target, true], ['pkg:oci/apps', false]] as const) assert.equal(isMeant({ name: image }, OPENSSL, SCANNED), is, image);
  const types: Package = { type: 'npm', name: '@types/node', version: '1.0.0' };
  assert.deepEqual(['pkg:npm/%40types/node@1.0.0', 'pkg:npm/node@1.0.0', 'pkg:npm/%40other/node'].map((one) => isMeant({ name: one }, types, SCANNED)), [true, false, false]);
});

test('a statement on another distribution\'s package, or on another image, takes nothing out', async () => {
  await mustRun(['db', 'import', write('osv.json', JSON.stringify({ id: 'DSA-1', aliases: ['CVE-2024-1'], affected: [{ package: { ecosystem: 'Debian:12', name: 'openssl' }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }] }] }))]);
  write('root/etc/os-release', 'ID=debian\nVERSION_ID="12"\n');
  write('root/var/lib/dpkg/status', 'Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.11-1\nSource: openssl\n');
  const left = async (products: readonly unknown[]): Promise<number> => (await json(['--scanners', 'vuln', '--vex', write('vex.json', JSON.stringify({ '@context': 'https://openvex.dev/ns/v0.2.0', statements: [{ vulnerability: { name: 'CVE-2024-1' }, products, status: 'not_affected' }] })), join(scratch, 'root')])).findings.length;
  assert.equal(await left([{ '@id': 'pkg:deb/ubuntu/openssl' }]), 1);
  assert.equal(await left([{ '@id': 'pkg:deb/debian/openssl' }]), 0);
  assert.equal(await left([{ '@id': 'pkg:oci/other', 'subcomponents': [{ '@id': 'pkg:deb/debian/openssl' }] }]), 1);
});
