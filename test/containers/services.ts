/** An image with Debian's nginx, redis-server, redis-cli and socat, built by Caisson from the files of their packages on this machine. */
import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { peer } from '../images/fixtures.ts';
import type { TestStore } from './testing.ts';

const PROGRAMS = ['/usr/sbin/nginx', '/usr/bin/redis-server', '/usr/bin/redis-cli', '/usr/bin/socat', '/bin/busybox'];
/** What the packages configure. */
const DIRECTORIES = ['/etc/nginx', '/usr/share/nginx', '/usr/lib/nginx'];
const APPLETS = ['sh', 'cat', 'echo', 'sleep', 'nc', 'head', 'sha256sum', 'mkdir', 'nslookup', 'hostname', 'ip', 'kill'];

const DOCKERFILE = `FROM scratch
COPY root /
RUN mkdir -p /var/log/nginx /var/lib/nginx /var/www/html /run /data /tmp && echo "Hello from nginx" > /var/www/html/index.html
EXPOSE 80 6379
CMD ["nginx", "-g", "daemon off; error_log stderr;"]
`;

function copyInto(root: string, path: string): void {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  cpSync(realpathSync(path), join(root, path), { recursive: true, verbatimSymlinks: true });
}

/** Builds it as `services`. */
export async function buildServices({ scratch, mustRun }: TestStore): Promise<void> {
  const context = join(scratch, 'services');
  const root = join(context, 'root');
  for (const path of [...PROGRAMS, ...DIRECTORIES]) copyInto(root, path);
  const modules = '/usr/lib/nginx/modules/ngx_http_echo_module.so';
  const libraries = [...PROGRAMS.slice(0, -1), modules].flatMap((program) => [...peer('ldd', [program]).stdout.matchAll(/(\/\S+\.so\S*) \(/g)].map(([, library = '']) => library));
  for (const library of new Set(libraries)) if (!existsSync(join(root, library))) copyInto(root, library);
  for (const name of APPLETS) symlinkSync('busybox', join(root, 'bin', name));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nwww-data:x:33:\n');
  writeFileSync(join(context, 'Dockerfile'), DOCKERFILE);
  await mustRun(['build', '-q', '-t', 'services', context]);
}
