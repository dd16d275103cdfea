/** A root directory in which deeds are done. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const APPLETS = ['blkid', 'cat', 'chmod', 'cp', 'find', 'grep', 'id', 'insmod', 'ln', 'ls', 'lsmod', 'mkdir', 'modprobe', 'mv', 'nc', 'readlink', 'rm', 'rmdir', 'seq', 'sh', 'shred', 'sleep', 'touch', 'true', 'wc'];

const FILES: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:/bin/sh\nme:x:1000:1000::/:/bin/sh\n',
  'etc/group': 'root:x:0:\nwww-data:x:33:\nme:x:1000:\n', 'etc/shadow': 'root:*:1::::::\n', 'etc/shadow.txt': 'text\n', 'etc/hostname': 'box\n', 'etc/script': 'true\n',
  'srv/junk': 'junk\n', 'srv/id_card': '', 'srv/credentials': '', 'var/www/index.html': '<p>\n', 'var/log/auth.log': 'one\n', 'var/log/syslog': 'one\n',
};

export class Root {
  readonly directory = mkdtempSync(join(tmpdir(), 'caisson-detect-'));
  readonly root = join(this.directory, 'root');
  readonly #scratch: string[] = [];

  constructor() {
    for (const path of ['bin', 'dev', 'proc', 'sys', 'tmp', 'root', 'etc/cron.d', 'srv', 'var/www', 'var/log']) mkdirSync(join(this.root, path), { recursive: true });
    for (const [path, text] of Object.entries(FILES)) writeFileSync(join(this.root, path), text);
    copyFileSync(execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim(), join(this.root, 'bin/busybox'));
    for (const applet of APPLETS) symlinkSync('busybox', join(this.root, 'bin', applet));
    execFileSync('gcc', ['-O1', '-static', '-o', join(this.root, 'bin/deeds'), fileURLToPath(new URL('deeds.c', import.meta.url))]);
    copyFileSync(join(this.root, 'bin/deeds'), join(this.root, 'srv/ssh'));
    // Its name is that of the file.
    for (const [name, line] of [['srv/nginx', 'sh "$@"'], ['srv/worker', 'sh "$@"'], ['srv/curl', 'cat "$1" > "$2"'], ['bin/debugfs', 'true']] as const) {
      writeFileSync(join(this.root, name), `#!/bin/sh\n${line}\nexit 0\n`);
      chmodSync(join(this.root, name), 0o755);
    }
  }

  /** A path of its own, of a file that is not there yet or has `text`. */
  file(name: string, text?: string): string {
    const path = join(this.directory, `${this.#scratch.length}-${name}`);
    this.#scratch.push(path);
    if (text !== undefined) writeFileSync(path, text);
    return path;
  }

  /** Arguments of `caisson`: a shell in the root, as root. */
  shell(script: string, flags: readonly string[]): readonly string[] {
    return ['do', '--root', this.root, '--user', '0', '--show', '/etc/shadow', '-w', '/', ...flags, '--', '/bin/sh', '-c', script];
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface JsonAlert {
  readonly rule: string;
  readonly priority: string;
  readonly output: string;
  readonly action: string;
  readonly event: number;
  readonly left_out?: number;
  readonly output_fields: Readonly<Record<string, unknown>>;
}

export function jsonLines<Line>(path: string): readonly Line[] {
  return readFileSync(path, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Line);
}
