/** Readers of files: which references they find, where, and what they leave alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPassedOver, readSource, sourceKind } from './index.ts';
import { kindOf } from './kinds.ts';
import { splitShell } from './shell.ts';
import type { SourceKind } from './index.ts';

function found(kind: Exclude<SourceKind, 'dockerfile'>, text: string, path = 'x'): readonly string[] {
  return readSource(kind, text, path).map(({ line, text: word }) => `${line} ${word}`);
}

test('kindOf() and sourceKind() know files by their names, and scripts by their first line', () => {
  const kinds = { 'Dockerfile': 'dockerfile', 'dockerfile.dev': 'dockerfile', 'Containerfile': 'dockerfile', 'app.Dockerfile': 'dockerfile', 'Dockerfile.dockerignore': undefined, 'dockerfiles.md': undefined, 'compose.yml': 'yaml', 'values.yaml': 'yaml', '_helpers.tpl': 'yaml', 'a.json': 'yaml', 'run.sh': 'shell', 'Makefile': 'shell', '.env': 'shell', 'main.tf': 'shell', 'web.container': 'shell', 'web.service': 'shell', 'Jenkinsfile': 'groovy', 'x.groovy': 'groovy', 'a.ts': undefined, 'README.md': undefined } as const;
  for (const [name, kind] of Object.entries(kinds)) assert.equal(kindOf(name), kind, name);
  assert.equal(sourceKind('deploy', () => '#!/usr/bin/env bash\n'), 'shell');
  assert.equal(sourceKind('program', () => '\x7fELF'), undefined);
  assert.equal(sourceKind('script.py', () => '#!/bin/sh\n'), undefined);
  assert.deepEqual(['.git', 'node_modules', 'src'].map(isPassedOver), [true, true, false]);
});

test('splitShell() keeps quotes and substitutions together', () => {
  assert.deepEqual(splitShell('a "b c" \'d;e\' f;g&&h # i'), ['a', 'b c', 'd;e', 'f', ';', 'g', '&', 'h']);
  assert.deepEqual(splitShell('docker run -v $(pwd):/x $(cat image) b'), ['docker', 'run', '-v', '$():/x', '$()', 'b', ';', 'pwd', ';', 'cat', 'image']);
});

test('commands: the image is the first word that belongs to no flag', () => {
  for (const [line, image] of [
    ['docker run nginx sh', 'nginx'], ['docker run -it --rm nginx', 'nginx'], ['docker run -p 80:80 --name=x -e A=b nginx:1 arg', 'nginx:1'], ['docker --context x run -d nginx', 'nginx'], ['sudo /usr/bin/docker pull -q nginx', 'nginx'],
    ['docker run -v"$PWD":/w nginx', 'nginx'], ['docker run -eA=b nginx', 'nginx'], ['docker image pull nginx', 'nginx'], ['podman container run -ti nginx', 'nginx'], ['X=$(docker create nginx)', 'nginx'], ['if docker pull nginx; then', 'nginx'],
    ['docker buildx build -t acme/a . --push', 'acme/a'], ['docker build --tag=acme/a .', 'acme/a'], ['crane copy docker://nginx x', 'nginx'], ['kubectl run x --image nginx', 'nginx'], ['docker run ${IMAGE:-nginx:1}', 'nginx:1'], ['docker run nginx:$TAG', 'nginx'], ['docker run -- nginx', 'nginx'],
    ['@docker run nginx', undefined], ['docker run $IMAGE', undefined], ['docker ps', undefined], ['echo run nginx', undefined], ['# docker run nginx', undefined], ['docker run', undefined], ['docker network create nginx', undefined], ['docker volume create nginx', undefined],
  ] as const) assert.deepEqual(found('shell', line), image === undefined ? [] : [`1 ${image}`], line);
  assert.deepEqual(found('shell', 'docker tag a b\nIMAGE=c:1 # why\nexport BASE_IMAGE="d"\nIMAGE_TAG=e\nTHE_IMAGE=$X\n'), ['1 a', '1 b', '2 c:1', '3 d']);
  assert.deepEqual(found('shell', '  image = "a:1"\nImage=quay.io/b/c\nExecStart=/usr/bin/podman run --rm --name x d:2 sh\n'), ['1 a:1', '2 quay.io/b/c', '3 d:2']);
  assert.deepEqual(found('shell', 'docker run \\\n  -d \\\n  nginx \\\n  sh\n'), ['3 nginx']);
});

test('YAML: keys that hold references, in any place, and nothing that only looks like one', () => {
  assert.deepEqual(found('yaml', 'a:\n  - image: x:1 # c\n    name: image\n  - "image": \'y\'\n# image: z\nimagePullPolicy: Always\nimage:\n  pullPolicy: Always\n'), ['2 x:1', '4 y']);
  assert.deepEqual(found('yaml', 'image:\n  repository: a/b\n  tag: 1\n  pullPolicy: x\nother:\n  repository: https://charts.example\nrepo:\n  repository: c/d\n'), ['2 a/b:1']);
  assert.deepEqual(found('yaml', 'image:\n  repository: a/b\n  tag: ""\nproxy:\n  image:\n    registry: quay.io\n    repository: c/d\n    tag: v1\n    digest: ""\n'), ['2 a/b', '7 quay.io/c/d:v1']);
  assert.deepEqual(found('yaml', 'x-base: &base\n  image: &i a:1\nb:\n  image: *i\nc: {image: d, x: [1]}\ninitImage: e\nvmImage: ubuntu-latest\n'), ['2 a:1', '5 d', '6 e']);
  assert.deepEqual(found('yaml', '{"image": "a:1",\n "containers": [{"image": "b"}]}'), ['1 a:1', '2 b']);
  assert.deepEqual(found('yaml', 'image: {{ .Values.x }}\nimage: "{{ .Values.x }}:{{ .y }}"\nimage: a:{{ .y }}\nimage: {{ .x | default "b:1" }}\nimage: ${X:-c:1}\nimage: ${X}\n'), ['3 a', '4 b:1', '5 c:1']);
  assert.deepEqual(found('yaml', 'script:\n  - docker pull a\n  - "docker run b"\nrun: docker run c\nsteps:\n  - run: |\n      docker run \\\n        -d d\n'), ['2 a', '3 b', '4 c', '8 d']);
  assert.deepEqual(found('yaml', 'images:\n  - name: a\n    newName: b/c\n    newTag: v1\n'), ['3 b/c']);
  const pipeline = 'image:\n  name: a\n  entrypoint: [""]\nservices:\n  - b:1\n  - name: c\n    alias: d\njob:\n  image: e\n';
  assert.deepEqual(found('yaml', pipeline, '.gitlab-ci.yml'), ['2 a', '5 b:1', '6 c', '9 e']);
  assert.deepEqual(found('yaml', 'services:\n  - b:1\n', 'x.yaml'), []);
});

test('Jenkins pipelines', () => {
  assert.deepEqual(found('groovy', 'agent { docker { image \'a:1\' } }\nagent { docker "b" }\ndocker.image("c").inside {}\nsh "docker run d x"\n// image \'e\'\nimage "${f}"\n'), ['1 a:1', '2 b', '3 c', '4 d']);
});
