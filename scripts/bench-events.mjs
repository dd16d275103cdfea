/** What watching costs: a program that makes many calls with 50 rules and without, and how many events a second pass through the rules. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const RULES = 50;
/** Opens, reads and lists a few thousand files. */
const HEAVY = ['/bin/grep', '-r', 'a text that is nowhere', '/usr/share/doc', '/usr/include'];
/** Nothing but opening and closing: the most that watching can cost. */
const OPENS = ['/usr/bin/python3', '-c', 'import os\nfor _ in range(100000): os.close(os.open("/etc/hostname", os.O_RDONLY))'];
const EVENTS = 1_000_000;

/** As many more as the default set lacks, each on a path that nobody asks for. */
function moreRules(count) {
  return Array.from({ length: count }, (_, index) => `- rule: More ${index}\n  desc: x\n  condition: evt.type in (open, openat) and evt.is_open_read = true and fd.name startswith /nowhere/${index}/ and proc.name != none\n  output: "%fd.name"\n  priority: DEBUG\n`).join('');
}

async function detectRoom(directory) {
  const outfile = join(directory, 'detect.cjs');
  await build({ entryPoints: [join(root, 'src/detect/index.ts')], bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'warning', absWorkingDir: root });
  return (await import(pathToFileURL(outfile).href)).default;
}

/** A stream of what programs do, as a watcher gets it. */
function sampleEvents() {
  const program = (name, parent) => ({ pid: 7, virtualPid: 7, name, exe: name, exePath: `/usr/bin/${name}`, arguments: ['-n', 'file'], commandLine: `${name} -n file`, inUpperLayer: false, fromMemory: false, parent });
  const shell = program('sh', program('nginx', undefined));
  const file = (name) => ({ number: 4, type: 'file', name, otherName: undefined, givenName: name, protocol: undefined, localAddress: undefined, localPort: undefined, remoteAddress: undefined, remotePort: undefined, isServer: false });
  const event = (type, more) => ({ number: 1, seconds: 1, nanoseconds: 1, type, result: 3, tid: 7, session: 7, processGroup: 7, terminal: 0, uid: 0, gid: 0, cwd: '/', source: undefined, target: undefined, openFlags: undefined, file: undefined, arguments: new Map(), program: program('cat', shell), ...more });
  const opens = ['/usr/lib/libc.so.6', '/etc/ld.so.cache', '/usr/share/locale/de', '/srv/data/one', '/tmp/x'].map((name) => event('openat', { file: file(name), openFlags: 0 }));
  return [...opens, event('openat', { file: file('/srv/data/two'), openFlags: 0o1101 }), event('execve', { result: 0 }), event('unlink', { file: file('/tmp/x'), result: 0 }), event('dup2', { file: file('/dev/null') }), event('socket', { arguments: new Map([['domain', 'AF_INET']]) })];
}

export async function benchEvents({ caisson, env, rounds, median }) {
  const scratch = join(root, '.cache', 'bench');
  mkdirSync(scratch, { recursive: true });
  const { Detector, NO_CONTAINER, readRuleFiles } = await detectRoom(scratch);
  const own = (await readRuleFiles([{ name: 'default' }])).rules.length;
  const more = moreRules(RULES - own);
  const file = join(scratch, 'more-rules.yaml');
  writeFileSync(file, more);
  const flags = ['--rules', 'default', '--rules', file, '--alerts', '/dev/null'];
  const timeOf = (argv, watched) => {
    const started = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [caisson, 'do', ...(watched ? flags : []), '--', ...argv], { env, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
    if (status > 1) throw new Error(stderr);
    return performance.now() - started;
  };
  const table = {};
  for (const [name, argv] of [['true', ['/bin/true']], ['grep -r', HEAVY], ['open and close', OPENS]]) {
    const times = { off: [], on: [] };
    for (let run = 0; run < 3; run++) timeOf(argv, false);
    for (let round = 0; round < rounds; round++) {
      times.off.push(timeOf(argv, false));
      times.on.push(timeOf(argv, true));
    }
    table[name] = { off: median(times.off), on: median(times.on) };
    console.log(`${name.padEnd(22)}${table[name].off.toFixed(0).padStart(8)} ms, with ${RULES} rules ${table[name].on.toFixed(0)} ms: ${((table[name].on / table[name].off - 1) * 100).toFixed(0)} % more`);
  }
  const { rules } = await readRuleFiles([{ name: 'default' }, { name: 'more', text: more }]);
  const detector = new Detector({ container: NO_CONTAINER, rules, onAlert: () => true });
  const events = sampleEvents();
  const pass = () => {
    const started = performance.now();
    for (let index = 0; index < EVENTS; index++) detector.happened(events[index % events.length]);
    return EVENTS / ((performance.now() - started) / 1000);
  };
  pass();
  const perSecond = median(Array.from({ length: rounds }, pass));
  console.log(`${'events'.padEnd(22)}${(perSecond / 1e6).toFixed(2).padStart(8)} million a second through ${rules.length} rules`);
  return { ...table, perSecond: { value: perSecond, rules: rules.length } };
}
