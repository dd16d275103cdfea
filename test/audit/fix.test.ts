/** `--fix` in each kind of input: no path is left, and what nobody asked to change stays as it was written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withChanges } from '../../src/audit/evaluate.ts';
import { MENDABLE_ITEMS, cutPaths, mendItems } from '../../src/audit/fix.ts';
import { NO_FACTS } from '../../src/audit/host-facts.ts';
import { readInput } from '../../src/audit/read.ts';
import { RECORDED, commandLine, judgementsOf } from './testing.ts';

function openPaths(text: string): readonly string[] {
  return judgementsOf(readInput(text)).flatMap(({ paths }) => paths.filter(({ state, severity }) => state !== 'closed' && severity !== 'info').map(({ path }) => path.id));
}

function fixed(text: string): string {
  const input = readInput(text);
  return input.rewrite(input.configurations.map((configuration) => cutPaths(configuration, NO_FACTS, 'docker', 'low'))).text;
}

for (const recorded of RECORDED) {
  const forms: Readonly<Record<string, string>> = {
    'docker run': commandLine('docker', recorded), 'podman run': commandLine('podman', recorded), 'docker request': JSON.stringify(recorded.dockerRequest), 'podman inspect': JSON.stringify(recorded.podmanInspect),
    'docker inspect': JSON.stringify(recorded.dockerInspect), 'OCI': JSON.stringify(recorded.bundle), ...(recorded.kubernetes === undefined ? {} : { kubernetes: recorded.kubernetes }),
  };
  for (const [form, text] of Object.entries(forms)) {
    test(`${recorded.name}, ${form}: no path is left, and a second fix changes nothing`, () => {
      const once = fixed(text);
      assert.deepEqual(openPaths(once), []);
      assert.equal(fixed(once), once);
    });
    test(`${recorded.name}, ${form}: the model after changes is the model of the changed text`, () => {
      const input = readInput(text);
      const changes = input.configurations.map((configuration) => {
        const cuts = cutPaths(configuration, NO_FACTS, 'docker', 'low');
        return [...cuts, ...mendItems(withChanges(configuration, cuts), MENDABLE_ITEMS)];
      });
      const { text: changed, refused } = input.rewrite(changes);
      const done = input.configurations.map((configuration, index) => withChanges(configuration, (changes[index] ?? []).filter((change) => !refused.some((one) => one.change === change))));
      const expected = done.map((configuration) => judgementsOf({ ...input, configurations: [configuration] })[0]?.items.map(({ item }) => item.id));
      assert.deepEqual(judgementsOf(readInput(changed)).map(({ items }) => items.map(({ item }) => item.id)), expected);
    });
  }
}

test('a script keeps its lines, its other commands and its comments', () => {
  const text = `#!/bin/sh
set -e
# starts the service
docker run -d \\
  --name web \\
  --privileged \\
  -v /var/run/docker.sock:/var/run/docker.sock \\
  --memory 64m --pids-limit 50 --cap-drop NET_RAW \\
  -p 8080:80 app:1 "$@"   # the rest
echo "it's done"
`;
  assert.equal(fixed(text), text.replace('  --privileged \\\n', '').replace('  -v /var/run/docker.sock:/var/run/docker.sock \\\n', '').replace('8080:80', '127.0.0.1:8080:80'));
});

test('a Compose file keeps comments, anchors and what others take from them', () => {
  const text = `# ours
x-base: &base
  mem_limit: 64m
  pids_limit: 50
  pid: host # why?
services:
  web:
    <<: *base
    image: app:1 # pinned
    volumes:
      - ./data:/data # kept
      - /var/run/docker.sock:/s
  other:
    mem_limit: 64m
    pids_limit: 50
    image: other:1
`;
  const result = fixed(text);
  assert.deepEqual(openPaths(result), []);
  for (const line of ['# ours', '  pid: host # why?', '    image: app:1 # pinned', '      - ./data:/data # kept', '    image: other:1']) assert.ok(result.includes(`${line}\n`), line);
  assert.ok(!result.includes('docker.sock'));
});

test('a variable that holds a flag is not rewritten, and that is said', () => {
  const text = 'FLAGS="--privileged -p 80:80"\ndocker run $FLAGS app\n';
  const input = readInput(text);
  const changes = input.configurations.map((configuration) => cutPaths(configuration, NO_FACTS, 'docker', 'high'));
  const { text: after, refused } = input.rewrite(changes);
  assert.equal(after, text);
  assert.match(refused[0]?.why ?? '', /comes from a variable/);
});
