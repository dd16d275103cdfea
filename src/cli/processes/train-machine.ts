/**
 * Machine code of the interpreter and the decoder, for the V8 at hand: ordinary programs run with every handler compiled by V8's optimizing
 * compiler when it is first called, and V8 writes down the result (`host/node/native-code.ts`).
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { Container, DEFAULT_CAPABILITIES, DEFAULT_LIMITS } from '../../container/index.ts';
import { MACHINE_MODULES, readMachineImage } from '../../host/node/image.ts';
import { createNodeHost } from '../../host/node/index.ts';
import { keptCode, namedCode } from '../../host/node/native-code.ts';
import type { UnitDirectory } from '../../host/node/unit-directory.ts';

/** What people start first, and what uses many different instructions. Those that the host lacks are left out. */
const PROGRAMS: readonly (readonly string[])[] = [
  ['/bin/true'],
  ['/bin/bash', '-c', 'for i in 1 2 3; do x="$x$i"; done; f() { local y=$(( $1 * 7 % 5 )); echo "${y}" "${x//1/2}"; }; f 3 | while read -r a b; do printf "%s %5d\\n" "$b" "$a"; done'],
  ['/bin/sh', '-c', 'ls -l /usr | sort -k5 -n | sed -e "s/a/b/g" | grep -v zzz | head -n 3; echo $(wc -l < /etc/passwd)'],
  ['/usr/bin/awk', 'BEGIN { for (i = 0; i < 50; i++) s = s sprintf("%d %.3f ", i, i / 7); print length(s) }'],
  ['/usr/bin/python3', '-c', 'import json, re; print(json.dumps({"a": [x * 1.5 for x in range(20)]}), re.sub("a+", "b", "caat"), sorted("hello"), 10 ** 40 // 7)'],
  ['/usr/bin/perl', '-e', 'my %h; $h{$_ % 7} .= $_ for 1 .. 50; print join(",", map { sprintf "%s=%.2f", $_, length($h{$_}) / 3 } sort keys %h), "\\n"'],
  ['/usr/bin/gcc', '--version'],
  ['/usr/bin/git', '--version'],
];
const SECONDS = 20;
/** What is set while the programs run, and what is afterwards, so that V8 sees the flags that it began with. */
const OPTIMIZE = ['--no-liftoff'];
const RESTORE = ['--liftoff', '--wasm-tier-up', '--wasm-dynamic-tiering'];

/** V8's hash of its flags, as it stands in a code cache: it must be the same when the code is read. */
function flagsHash(): string {
  return new Script('0').createCachedData().subarray(8, 16).toString('hex');
}

function run(container: Container, argv: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const io = { onOutput: () => true, onInputWanted: () => {}, onInputRoom: () => {} };
    const env = ['PATH=/usr/bin:/bin', 'LANG=C.UTF-8'];
    const process = container.start({ argv, env, cwd: '/', user: { uid: 0, gid: 0, groups: [] }, capabilities: DEFAULT_CAPABILITIES, rlimits: [] }, io);
    if (typeof process === 'number') return resolve();
    const timer = setTimeout(() => process.signal(9), SECONDS * 1000);
    void process.ended.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** `namedCode` by name of the module. @throws Error where V8 does not write down what it has. */
async function train(): Promise<ReadonlyMap<string, Uint8Array>> {
  const built = readMachineImage<never>();
  const hash = flagsHash();
  const compiled = new Map<string, { readonly wasm: Uint8Array; readonly module: WebAssembly.Module }>();
  const image = {
    interpreter: built.interpreter,
    compile: (wasm: Uint8Array<ArrayBuffer>, name: string) => {
      const module = new WebAssembly.Module(wasm);
      compiled.set(name, { wasm, module });
      return module;
    },
    translator: () => {
      throw new Error('only the interpreter is trained');
    },
  };
  for (const flag of OPTIMIZE) setFlagsFromString(flag);
  const container = Container.create(
    createNodeHost(),
    { root: '/', mounts: [], hide: [], readOnly: false, hostname: 'build', limits: DEFAULT_LIMITS, network: { mode: 'none', allow: [] }, tier: 'interpreter' },
    { image, endsWithFirst: false },
  );
  for (const argv of PROGRAMS) if (existsSync(argv[0] ?? '')) await run(container, argv);
  for (const flag of RESTORE) setFlagsFromString(flag);
  if (flagsHash() !== hash) throw new Error('the flags of V8 could not be restored');
  return new Map([...compiled].map(([name, { wasm, module }]) => {
    const code = keptCode.write(module);
    if (code === undefined) throw new Error('V8 does not write machine code down');
    return [name, namedCode(wasm, code)];
  }));
}

/** For the build: `NAME.native` in its directory. */
export async function trainBuild(directory: string): Promise<void> {
  for (const [name, code] of await train()) {
    const target = join(directory, `${name}.native`);
    writeFileSync(`${target}.new`, code);
    renameSync(`${target}.new`, target);
  }
}

/** For a user whose V8 is another one than the build's. */
export async function trainForUser(units: UnitDirectory): Promise<void> {
  const trained = await train();
  units.machine().replace(MACHINE_MODULES.map((name) => trained.get(name) ?? new Uint8Array()));
}
