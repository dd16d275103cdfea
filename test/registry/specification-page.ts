/** docs/distribution-spec.md, from the rows that the tests are made of. */
import { CLIENT_REQUIREMENTS } from './client-requirements.ts';
import { REQUIREMENTS } from './requirements.ts';

export function specificationPage(): string {
  const rows = REQUIREMENTS.map(({ id, section, level, text, docker }) => `| ${id} | ${section} | ${level} | ${text} | ${docker === undefined ? 'yes' : `no: ${docker}`} |`);
  const clientRows = CLIENT_REQUIREMENTS.map(({ section, level, text, proof }) => `| ${section} | ${level} | ${text} | ${proof} |`);
  return `# The distribution specification, sentence by sentence

Every MUST and SHOULD of the [OCI distribution specification 1.1](https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md), with the test that shows it. This page is written by
\`node --import tsx scripts/distribution-spec.ts\`; \`npm test\` fails where it is not up to date.

## The registry

Each row is a test of \`test/registry/requirements.ts\`, which \`test/registry/specification.test.ts\` runs against \`caisson registry serve\` on a directory and on an S3-compatible bucket (all pass) and, to see that the tests are fair, against
Debian's docker-registry 2.8, which is older than the specification. The last column says what became of that; where it says no, the test is expected to fail there, and the run fails if it does not.

| row | section | level | what is asked | docker-registry |
|---|---|---|---|---|
${rows.join('\n')}

Of the categories under "Requirements", the registry has all four: Pull (MUST), Push, Content Discovery and Content Management (SHOULD). Deletion is never disabled as a whole (who may delete is a rule of access), so the answers for
registries without it do not apply. The registry has no least size of chunks and sends no warnings; it had the referrers API from the first day, so every manifest with a subject is listed.

## The client

What the specification asks of clients, for \`caisson pull\`, \`push\` and \`registry\`.

| section | level | what is asked | shown by |
|---|---|---|---|
${clientRows.join('\n')}
`;
}
