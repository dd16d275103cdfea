/** Files that are not what their package brought, by the digests in rpm's database. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { peer } from '../images/fixtures.ts';
import { scanPlace } from './testing.ts';

const { scratch, write, json } = scanPlace();
const FILES = ['same', 'changed', 'gone', 'free', 'À'];
const SPEC = `Name: pack
Version: 1
Release: 1
Summary: s
License: MIT
BuildArch: noarch
%description
d
%install
mkdir -p %{buildroot}/usr/share/pack %{buildroot}/etc
for name in ${FILES.join(' ')}; do echo $name > "%{buildroot}/usr/share/pack/$name"; done
echo setting > %{buildroot}/etc/pack.conf
ln -s same %{buildroot}/usr/share/pack/link
%files
/usr/share/pack/same
/usr/share/pack/changed
/usr/share/pack/gone
/usr/share/pack/link
"/usr/share/pack/À"
%verify(not filedigest) /usr/share/pack/free
%ghost /usr/share/pack/later
%config /etc/pack.conf
`;

test('a changed file of a package of rpm is found, as rpm -V finds it; configuration and what is not verified are left alone', async () => {
  const top = join(scratch, 'rpmbuild');
  peer('rpmbuild', ['-bb', '--define', `_topdir ${top}`, write('pack.spec', SPEC)], { env: { LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' } });
  const file = join(top, 'RPMS/noarch/pack-1-1.noarch.rpm');
  peer('rpm', ['--dbpath', join(scratch, 'root/var/lib/rpm'), '-i', '--justdb', '--nodeps', '--ignorearch', '--noscripts', file]);
  peer('sh', ['-c', 'rpm2cpio "$1" | cpio -idm --quiet -D "$2"', 'sh', file, join(scratch, 'root')]);
  const changed = async (): Promise<readonly string[]> => (await json(['--scanners', 'malware', join(scratch, 'root')])).findings.map(({ rule, subject, message }) => `${rule} ${subject} ${message}`).sort();
  assert.deepEqual(await changed(), []);
  for (const name of ['changed', 'free', 'À', 'later']) write(`root/usr/share/pack/${name}`, 'other\n');
  write('root/etc/pack.conf', 'other\n');
  peer('rm', [join(scratch, 'root/usr/share/pack/gone')]);
  const digests = peer('rpm', ['-qp', '--queryformat', '[%{FILENAMES} %{FILEDIGESTS}\\n]', file]).stdout;
  assert.match(digests, /^\/usr\/share\/pack\/changed [0-9a-f]{64}$/m);
  assert.deepEqual(await changed(), ['changed', 'À'].map((name) => `package-file-changed usr/share/pack/${name} It is not what the package pack brought`));
});
