/** A drill to take elsewhere: a bundle of OCI with the programs, and a script of the shell that runs them under an engine there and looks at its canaries. */
import { bundleConfig } from './bundle.ts';
import { Program } from './guest/program.ts';
import type { Field, Grants, Technique } from './types.ts';

/** Where the script puts what must not change. */
const PLACE = '/tmp/caisson-drill-carried';
const PROGRAM_WORD = '/drill/PROGRAM';

export interface CarriedFile {
  /** Relative to the bundle. */
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
}

/** A field with files only, which remembers whether something else was asked for. */
function fileField(): { readonly field: Field; readonly wasEnough: () => boolean } {
  const files = { directory: PLACE, secretFile: `${PLACE}/secret`, keptFile: `${PLACE}/kept`, granted: `${PLACE}/granted`, readable: `${PLACE}/readable`, stagedFile: '', stagedTree: '', root: '' };
  let enough = true;
  const field = new Proxy(files, {
    get: (target, name) => {
      if (Object.hasOwn(target, name)) return Reflect.get(target, name) as string;
      enough = false;
      return name === 'neighbour' ? {} : 0;
    },
  }) as unknown as Field;
  return { field, wasEnough: () => enough };
}

/** The program, where it needs files only and does no harm. */
function carry(technique: Technique): Uint8Array | undefined {
  if (!technique.isHarmless || technique.afterwards !== undefined || technique.isProbe === true || technique.as === 'user') return undefined;
  const { field, wasEnough } = fileField();
  const program = new Program();
  try {
    technique.program(program, field);
    technique.grants?.(field);
  } catch (error) {
    // It counts with what is not there.
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
  return wasEnough() ? program.toElf() : undefined;
}

const GRANTS: Grants = { mounts: [{ source: `${PLACE}/readable`, destination: `${PLACE}/readable` }, { source: `${PLACE}/granted`, destination: `${PLACE}/granted`, writable: true }] };

function script(secret: string, names: readonly string[]): string {
  return `#!/bin/sh
# Runs each program under an engine of OCI, such as runc, and looks whether the host has noticed:
#   sudo ./run.sh runc
# Exit status: 0 if nothing got out, 1 if something did, 2 if a program was not tried to its end.
here=$(cd "$(dirname "$0")" && pwd)
place=${PLACE}
[ $# -gt 0 ] || { echo "usage: $0 ENGINE [FLAGS]" >&2; exit 2; }
# Whoever else may write to /tmp can put nothing in its place: mkdir takes nothing that is there.
plant() { rm -rf "$place"; mkdir -m 700 "$place" && cp -r "$here/host/." "$place/" || { echo "cannot make $place" >&2; exit 2; }; }
trap 'rm -rf "$place" "$here/said" "$here/config.json"' EXIT
trap 'exit 130' INT; trap 'exit 143' TERM
plant
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
fingerprint() { find "$place" -path "$place/granted" -prune -o -print | sort | xargs ls -ldi --time-style=full-iso | grep -v ' '"$place"'$'; find "$place" -path "$place/granted" -prune -o -type f -exec cksum {} +; }
before=$(fingerprint); status=0
for name in ${names.join(' ')}; do
  sed "s|${PROGRAM_WORD}|/drill/$name|" "$here/config.template" > "$here/config.json"
  timeout -k 1 20 "$@" run --bundle "$here" "caisson-drill-$$-$name" > "$here/said" 2>&1
  verdict=held
  grep -aq '^done$' "$here/said" || verdict=unfinished
  if grep -aq -e '${secret}' -e '^claim' "$here/said" || { [ -n "$boot" ] && grep -aqF "$boot" "$here/said"; }; then verdict=out; fi
  if [ "$(fingerprint)" != "$before" ]; then verdict=out; plant; before=$(fingerprint); fi
  printf '%-24s %s\\n' "$name" "$verdict"
  case $verdict in out) status=1;; unfinished) [ $status -eq 1 ] || status=2; head -n 1 "$here/said" >&2;; esac
done
exit $status
`;
}

/** All files of the bundle, and how many techniques are in it. `secret`: what nobody inside may know. */
export function carriedBundle(techniques: readonly Technique[], secret: string): { readonly files: readonly CarriedFile[]; readonly count: number } {
  const programs = techniques.flatMap((technique) => {
    const elf = carry(technique);
    return elf === undefined ? [] : [{ name: technique.name, elf }];
  });
  const config = bundleConfig({ root: 'rootfs', program: PROGRAM_WORD, grants: GRANTS, uid: 0, gid: 0 });
  const files: readonly CarriedFile[] = [
    ...programs.map(({ name, elf }) => ({ path: `rootfs/drill/${name}`, content: elf, mode: 0o755 })),
    ...['dev', 'etc', 'proc', 'sys', 'tmp'].map((name) => ({ path: `rootfs/${name}/.keep`, content: '', mode: 0o644 })),
    { path: 'config.template', content: `${JSON.stringify(config, undefined, 2)}\n`, mode: 0o644 },
    { path: 'host/secret', content: `${secret}\n`, mode: 0o600 },
    { path: 'host/kept', content: 'kept\n', mode: 0o644 },
    { path: 'host/readable/file', content: 'r'.repeat(3 * 4096), mode: 0o644 },
    { path: 'host/granted/file', content: 'granted\n', mode: 0o644 },
    { path: 'run.sh', content: script(secret, programs.map(({ name }) => name)), mode: 0o755 },
  ];
  return { files, count: programs.length };
}
