/** Turns bench/results.json into docs/performance.md and its chart. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
const number = (value, digits = 0) => (value === undefined ? '–' : value.toFixed(digits));
const ratio = (left, right) => (left === undefined || right === undefined ? '–' : (left / right).toFixed(2));

function timeTable(rows) {
  const lines = Object.entries(rows).map(([name, row]) => `| ${name} | ${number(row.native)} | ${number(row.caisson)} | ${number(row.qemu)} | ${ratio(row.native, row.caisson)} | ${ratio(row.qemu, row.caisson)} | ${number(row.first)} |`);
  return ['| | native, ms | Caisson, ms | qemu-x86_64, ms | of native speed | times qemu | first run, ms |', '|---|---|---|---|---|---|---|', ...lines].join('\n');
}

function microTable(rows) {
  const lines = Object.entries(rows).map(([name, row]) => `| ${name} | ${number(row.native / 1000, 2)} | ${number(row.caisson / 1000, 2)} | ${number(row.qemu / 1000, 2)} |`);
  return ['| | native, µs | Caisson, µs | qemu-x86_64, µs |', '|---|---|---|---|', ...lines].join('\n');
}

/** Bars: speed against native (1.0), Caisson and qemu. */
function chart(rows) {
  const names = Object.keys(rows).filter((name) => rows[name].native && rows[name].caisson && rows[name].qemu);
  const width = 720;
  const rowHeight = 34;
  const left = 110;
  const scale = width - left - 60;
  const bars = names.map((name, index) => {
    const row = rows[name];
    const y = 40 + index * rowHeight;
    const bar = (value, offset, fill) => {
      const length = Math.max(1, Math.min(1.1, value) * (scale / 1.1));
      return `<rect x="${left}" y="${y + offset}" width="${length.toFixed(1)}" height="11" fill="${fill}"/><text x="${(left + length + 5).toFixed(1)}" y="${y + offset + 10}" font-size="11" fill="#555">${value.toFixed(2)}</text>`;
    };
    return `<text x="${left - 8}" y="${y + 16}" text-anchor="end" font-size="13" fill="#222">${name}</text>${bar(row.native / row.caisson, 0, '#2f6f9f')}${bar(row.native / row.qemu, 13, '#c9822b')}`;
  });
  const height = 60 + names.length * rowHeight;
  const one = left + scale / 1.1;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" role="img" aria-label="Speed of CPU programs as a fraction of native speed"><rect width="100%" height="100%" fill="#fff"/><text x="${left}" y="22" font-size="14" fill="#222">Speed as a fraction of native</text><rect x="${left + 230}" y="12" width="11" height="11" fill="#2f6f9f"/><text x="${left + 246}" y="22" font-size="12" fill="#222">Caisson</text><rect x="${left + 310}" y="12" width="11" height="11" fill="#c9822b"/><text x="${left + 326}" y="22" font-size="12" fill="#222">qemu-x86_64</text><line x1="${one}" y1="32" x2="${one}" y2="${height - 16}" stroke="#bbb"/><text x="${one}" y="${height - 4}" font-size="11" text-anchor="middle" fill="#555">native</text>${bars.join('')}</svg>\n`;
}

function registryTable({ memory, ...rows }) {
  const lines = Object.entries(rows).map(([name, row]) => `| ${name}, 16 clients, layers/s | ${number(row.caisson, 1)} | ${number(row.docker, 1)} | ${ratio(row.caisson, row.docker)} |`);
  return ['| | Caisson | docker-registry | ratio |', '|---|---|---|---|', ...lines, `| resident memory at most, 16 clients that move large layers, MiB | ${number(memory.caisson)} | ${number(memory.docker)} | ${ratio(memory.caisson, memory.docker)} |`].join('\n');
}

function cpuSummary(rows) {
  const complete = Object.values(rows).filter((row) => row.native && row.caisson && row.qemu);
  if (complete.length === 0) return '';
  return `Geometric means: ${geometricMean(complete.map((row) => row.native / row.caisson)).toFixed(2)} of native speed, ${geometricMean(complete.map((row) => row.qemu / row.caisson)).toFixed(2)} times qemu-x86_64.\n`;
}

/** `mebibytes`: of the layer, uncompressed. */
function imageSection({ mebibytes, start, pulled, second, pull }) {
  return [
    '## Images',
    [
      `A Debian root directory of ${mebibytes} MiB in one layer of gzip; the registry is docker-registry on loopback.`, '', '| | Caisson, ms | peer, ms | |', '|---|---|---|---|',
      `| from the layer in the store (imported) to the end of its first program; \`umoci unpack\` alone | ${number(start.caisson)} | ${number(start.umoci)} | ${number(start.umoci / start.caisson, 1)} times as fast |`,
      ...(pulled === undefined ? [] : [`| the same at once after a pull, which does not wait for unpacking | ${number(pulled.caisson)} | ${number(pulled.umoci)} | ${number(pulled.umoci / pulled.caisson, 1)} times as fast |`]),
      `| one more container, until \`true\` ends; \`caisson do -- true\` | ${number(second.caisson)} | ${number(second.do)} | ${number(second.caisson - second.do)} ms more |`,
      `| pull into the store; \`skopeo copy\` to an OCI directory | ${number(pull.caisson)} | ${number(pull.skopeo)} | ${number(pull.caisson / pull.skopeo, 2)} times its time |`,
    ].join('\n'),
  ];
}

function containerSection({ node, plain, removed, kept, changed, exec, detached, idleMiB, bytes, together }) {
  const row = (what, value, from) => `| ${what} | ${number(value)} | ${from === undefined ? '' : `${number(value - from)} ms more`} |`;
  return [
    '## Containers',
    [
      'busybox on scratch, until `true` ends.', '', '| | ms | |', '|---|---|---|', row('`do -- true`', plain), row('`run --rm IMAGE true`', removed, plain), row('`run IMAGE true`, which keeps the container', kept, plain),
      row('`run IMAGE touch /x`, which keeps what it changed', changed, plain), row('`exec NAME true`; more than `node -e 0`', exec, node), row('`run -d` until it returns', detached),
    ].join('\n'),
    // Results of an older bench have no bytes.
    `The process of an idle container in the background holds ${number(idleMiB)} MiB.${bytes === undefined ? '' : ` ${Math.round(bytes.out / 1e6)} MB/s come out of one through a published port, and ${Math.round(bytes.into / 1e6)} go in. Two that compute at once do ${number(together, 2)} times what one does.`}`,
  ];
}

/** Milliseconds. */
function buildSection({ compiler, node, same, changed }) {
  const seconds = (ms) => number(ms === undefined ? undefined : ms / 1000, 1);
  return [
    '## Builds',
    [
      '`caisson build` beside `buildah bud --isolation chroot`, on the same Debian root directory.', '', '| | Caisson | buildah | |', '|---|---|---|---|',
      `| \`apt-get update\` and \`apt-get install\` of gcc, s | ${seconds(compiler.caisson)} (the first time ${seconds(compiler.first)}) | ${seconds(compiler.buildah)} | ${number(compiler.caisson / compiler.buildah, 2)} times its time |`,
      `| again, nothing changed, ms | ${number(same.caisson)} | ${number(same.buildah)} | ${number(same.caisson - node)} ms above \`node -e 0\` |`,
      `| again, one COPY changed, ms | ${number(changed.caisson)} | ${number(changed.buildah)} | ${number(changed.caisson - node)} ms above \`node -e 0\` |`,
    ].join('\n'),
  ];
}

function servicesSection({ results, starts }) {
  const hasRunsc = Object.values(results).some(({ runsc }) => runsc !== undefined);
  const beside = (inside, runsc) => (hasRunsc ? ` ${Math.round(runsc)} | ${number(inside / runsc, 2)} |` : '');
  const rows = Object.entries(results).map(([name, { native, inside, runsc }]) => `| ${name} | ${Math.round(inside)} | ${Math.round(native)} | ${number(inside / native, 2)} |${beside(inside, runsc)}`);
  const times = Object.entries(starts).map(([name, { native, inside, runsc }]) => `${name} ${number(inside)} ms (natively ${number(native)}${runsc === undefined ? '' : `, under runsc ${number(runsc)}`})`);
  return ['## Servers', `Servers of this machine inside (\`do -p\`), asked by its own clients (\`ab\`, \`redis-benchmark\`, \`pgbench\`), which share its cores with them.${hasRunsc ? ' Beside them Debian\'s `runsc`, with the platform ptrace (no KVM) and the host\'s network.' : ''}`,
    `| | a second | natively | share |${hasRunsc ? ' runsc | times runsc |' : ''}\n|---|---|---|---|${hasRunsc ? '---|---|' : ''}\n${rows.join('\n')}`, `From the command until it answers: ${times.join(', ')}.`];
}

function squatSection({ node, squat, known, perSecond, ...rows }) {
  const of = (name) => `${number(rows[name])} ms, and ${number(rows[`${name}, off`])} ms with \`--squat off\``;
  return ['## Names that may be traps', `\`squat\` of one name: ${number(squat - node)} ms above \`node -e 0\`, of a well-known one ${number(known - node)} ms. ${Math.round(perSecond / 1000)} thousand names a second from standard input, with a report of each that is near another. A pull takes ${of('pull')}; a run ${of('run')}.`];
}

function eventsSection({ perSecond, ...programs }) {
  const rows = Object.entries(programs).map(([name, { off, on }]) => `${name}: ${number(off)} ms, and with rules ${number(on)} ms`);
  return ['## What a container does, before rules', `${perSecond.rules} rules, alerts to a file. ${rows.join('; ')}. ${(perSecond.value / 1e6).toFixed(2)} million events a second pass through the rules.`];
}

function scanSection({ node, cold, kept, bytes, files }) {
  return ['## What is in an image', `\`scan\` of an image of ${number(bytes / 1e6)} MB in ${files} files, with all scanners: ${number(cold - node)} ms above \`node -e 0\`; again, from what was kept of its layers: ${number(kept - node)} ms.`];
}

function isolationSection(attacks) {
  const percent = (share) => `${Math.round(share * 100)} %`;
  const rows = Object.entries(attacks).map(([name, { work, requests }]) => `| ${name} | ${percent(work)} | ${percent(requests)} |`);
  return ['## What one container leaves another', 'A program that counts, and a server that answers, in one container, while a hostile one on the same network and the same processor takes what it can: as parts of their share, which is half of what they do alone (so 200 % is all).', ['| the hostile one takes | work | requests |', '|---|---|---|', ...rows].join('\n')];
}

export function writePage(root, { date, node, cpu, cores, rounds, groups }) {
  const parts = [
    '# Performance',
    `Written by \`npm run bench\` on ${date}: Node ${node}, ${cpu}, ${cores} cores, medians of ${rounds} round${rounds === 1 ? '' : 's'}. Times are of whole processes, start included. Caisson keeps translations between runs; its times are of a command that ran seven times before (CPU programs three times, the program of system calls twice), and the first run, with none kept, stands beside them. Get your own with \`npm run bench\`; the numbers are in \`bench/results.json\`.`,
    'The machines that this is built on are virtual: system calls are slower there natively than on bare metal, which flatters ratios made of them.',
    'What limits the figures that are not what they should be: [performance-limits.md](performance-limits.md).',
  ];
  if (groups.cpu) parts.push('## CPU programs', '![Speed of CPU programs as a fraction of native speed](performance.svg)', timeTable(groups.cpu), cpuSummary(groups.cpu));
  if (groups.startup) {
    const { node: empty, ...rows } = groups.startup;
    parts.push('## Start', timeTable(rows), `\`node -e 0\` takes ${number(empty?.caisson)} ms; \`caisson do -- true\` takes ${number(rows.true?.caisson - empty?.caisson)} ms more.`);
  }
  if (groups.nodes) {
    const names = Object.keys(Object.values(groups.nodes)[0] ?? {});
    const rows = Object.entries(groups.nodes).map(([version, row]) => `| ${version} | ${names.map((name) => number(row[name])).join(' | ')} |`);
    parts.push(`Under other Node versions, in milliseconds. The build left machine code of the interpreter for ${node}; under others the first run of a user leaves it, where V8 gives it away (in 26 it does not).`, [`| Node | ${names.join(' | ')} |`, `|---|${names.map(() => '---|').join('')}`, ...rows].join('\n'));
  }
  if (groups.python) parts.push('## Python scripts', timeTable(groups.python));
  if (groups.micro) parts.push('## System calls and processes', microTable(groups.micro));
  if (groups.shell) parts.push('## Tools', timeTable(groups.shell));
  if (groups.compilers) parts.push('## javac and go build', '`javac` of a small class, `go build` of a small program whose packages are in its cache.', timeTable(groups.compilers));
  if (groups.files) {
    parts.push('## Files', ['| | native, GB/s | Caisson, GB/s |', '|---|---|---|', ...Object.entries(groups.files).map(([name, row]) => `| ${name} | ${number(row.native, 2)} | ${number(row.caisson, 2)} |`)].join('\n'));
  }
  if (groups.memory) {
    const row = groups.memory['sleep 5'];
    parts.push('## Memory', `\`caisson do -- sleep 5\` holds ${number(row.caisson)} MiB, \`node\` waiting ${number(row.node)} MiB: ${number(row.caisson - row.node)} MiB more.`);
  }
  if (groups.registry) parts.push('## Registry', registryTable(groups.registry));
  if (groups.api) parts.push('## API', `From \`Sandbox.create\` to the first output of a warm command: ${number(groups.api.create.caisson, 1)} ms.`);
  if (groups.images) parts.push(...imageSection(groups.images));
  if (groups.containers) parts.push(...containerSection(groups.containers));
  if (groups.isolation) parts.push(...isolationSection(groups.isolation));
  if (groups.build) parts.push(...buildSection(groups.build));
  if (groups.services) parts.push(...servicesSection(groups.services));
  if (groups.squat) parts.push(...squatSection(groups.squat));
  if (groups.scan) parts.push(...scanSection(groups.scan));
  if (groups.events) parts.push(...eventsSection(groups.events));
  writeFileSync(join(root, 'docs', 'performance.md'), `${parts.filter((part) => part !== '').join('\n\n')}\n`);
  if (groups.cpu) writeFileSync(join(root, 'docs', 'performance.svg'), chart(groups.cpu));
}
