import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_FACTS, compareVersions, withFactsOf } from './host-facts.ts';

test('compareVersions() orders numbers, candidates before releases, and leaves out what distributions add', () => {
  const ordered = ['0.9', '1.0.0-rc5', '1.0.0-rc95', '1.0.0', '1.1.2', '1.1.11', '1.1.12', '1.2.0-rc.1', '1.2.0', '5.4.0-42-generic', '5.10.101', '5.10.102', '6.1.0-18-amd64'];
  for (const [index, one] of ordered.entries()) for (const [position, other] of ordered.entries()) assert.equal(Math.sign(compareVersions(one, other)), Math.sign(index - position), `${one} ${other}`);
  assert.equal(compareVersions('v1.1.11', '1.1.11+deb12u1'), 0);
});

test('withFactsOf() reads what engines and clusters say of their hosts', () => {
  const podman = withFactsOf(NO_FACTS, JSON.stringify({ host: { kernel: '6.1.0-18-amd64', cgroupVersion: 'v2', ociRuntime: { name: 'crun', version: 'crun version 1.8.1' }, security: { apparmorEnabled: false, rootless: true, selinuxEnabled: false } } }));
  assert.deepEqual([podman.cgroup, podman.apparmor, podman.mapsUsers, [...podman.versions]], [2, false, true, [['kernel', '6.1.0-18-amd64']]]);
  const docker = withFactsOf(NO_FACTS, JSON.stringify({ Server: { Platform: { Name: 'Docker Desktop 4.44.2 (202017)' }, KernelVersion: '6.10.14-linuxkit', Components: [{ Name: 'Engine', Version: '28.3.2' }, { Name: 'containerd', Version: '1.7.27' }, { Name: 'runc', Version: '1.2.5' }] } }));
  assert.deepEqual(Object.fromEntries(docker.versions), { 'docker': '28.3.2', 'containerd': '1.7.27', 'runc': '1.2.5', 'docker-desktop': '4.44.2', 'kernel': '6.10.14-linuxkit' });
  const node = (version: string): object => ({ status: { nodeInfo: { kernelVersion: '5.15.0-1', containerRuntimeVersion: `cri-o://${version}` } } });
  assert.equal(withFactsOf(NO_FACTS, JSON.stringify({ kind: 'List', items: [node('1.23.5'), node('1.21.5')] })).versions.get('crio'), '1.21.5');
  assert.throws(() => withFactsOf(NO_FACTS, '{}'), /says nothing of a host/);
});
