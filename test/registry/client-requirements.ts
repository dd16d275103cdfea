/** What the distribution specification 1.1 asks of a client, and the test that shows it for ours. */

export interface ClientRequirement {
  readonly section: string;
  readonly level: string;
  readonly text: string;
  /** A test file and what in it, or why the sentence does not apply. */
  readonly proof: string;
}

const LIES = '`test/images/registry.test.ts`, a registry that lies';
const PEERS = '`test/registry/peers.test.ts`, our client';
const CLIENT = '`test/registry/client.test.ts`';

export const CLIENT_REQUIREMENTS: readonly ClientRequirement[] = [
  { section: 'Legacy Docker support', level: 'SHOULD NOT', text: 'the client depends on Docker\'s headers or error codes', proof: `${LIES}: the honest one sends none` },
  { section: 'Pulling manifests', level: 'SHOULD', text: 'it sends `Accept` with the types that it knows', proof: `${CLIENT}, what a pull asks` },
  { section: 'Pulling manifests', level: 'SHOULD', text: 'it ignores parameters on `Content-Type`', proof: `${CLIENT}, what a pull asks` },
  { section: 'Pulling manifests', level: 'SHOULD', text: 'it rejects a manifest whose `mediaType` is not its `Content-Type`', proof: `${CLIENT}, what a pull asks` },
  { section: 'Pulling manifests', level: 'MUST', text: 'it verifies `Docker-Content-Digest`, if it uses it', proof: `${LIES}: a digest that does not fit` },
  { section: 'Pulling manifests', level: 'SHOULD', text: 'it verifies a manifest that it asked for by digest', proof: `${LIES}: another manifest than was asked for` },
  { section: 'Pulling blobs', level: 'SHOULD', text: 'it verifies a blob against its digest', proof: `${LIES}: a spoiled layer` },
  { section: 'POST then PUT', level: 'SHOULD', text: 'it uses the `Location` as it came, and adds the digest', proof: `${CLIENT}, where to send a blob` },
  { section: 'Single POST', level: 'SHOULD', text: 'after 202 it goes on with a PUT', proof: 'it never sends a blob in a single POST' },
  { section: 'Pushing a blob in chunks', level: 'MUST', text: 'the POST has `Content-Length: 0`', proof: `${CLIENT}, in chunks` },
  { section: 'Pushing a blob in chunks', level: 'MUST', text: 'ranges are inclusive, begin with 0, follow each other, and the session is closed with a PUT that has the digest of the whole', proof: `${CLIENT}, in chunks` },
  { section: 'Pushing a blob in chunks', level: 'SHOULD', text: 'chunks are as large as `OCI-Chunk-Min-Length` asks, and go to the `Location` of the last answer', proof: `${CLIENT}, in chunks` },
  { section: 'Pushing a blob in chunks', level: 'SHOULD', text: 'after a failure it asks for the status and goes on at the `Location` of that answer', proof: `${CLIENT}, an upload that breaks` },
  { section: 'Mounting a blob', level: 'SHOULD', text: 'it verifies `Docker-Content-Digest`, if it uses it', proof: 'it does not use it: it knows the digest' },
  { section: 'Pushing Manifests', level: 'MUST', text: '`Content-Type` is the `mediaType` of the manifest, without parameters', proof: `${PEERS}: Docker schema 2 is kept` },
  { section: 'Pushing Manifests with Subject', level: 'MUST', text: 'without `OCI-Subject` in the answer it keeps the list at the tag of the referrers tag schema: an empty one where there is none, no entry twice, with artifact type and annotations', proof: `${CLIENT}, referrers of a registry that does not know them` },
  { section: 'Pushing Manifests with Subject', level: 'SHOULD', text: 'it fails if there is something else at that tag', proof: `${CLIENT}, referrers of a registry that does not know them` },
  { section: 'Listing Tags', level: 'SHOULD', text: 'it follows `Link`', proof: `${CLIENT}, lists` },
  { section: 'Listing Referrers', level: 'MUST', text: 'after 404 it takes the list from the tag of the referrers tag schema; SHOULD take anything else there for an empty list', proof: `${CLIENT}, referrers of a registry that does not know them` },
  { section: 'Deleting Manifests', level: 'SHOULD', text: 'it takes what it deletes out of the list at that tag', proof: 'it deletes nothing' },
  { section: 'Backwards Compatibility', level: 'MUST', text: 'it works with registries of older versions of the specification', proof: '`test/images/registry.test.ts`, with docker-registry 2.8' },
  { section: 'Warnings', level: 'SHOULD', text: 'it shows warnings, each once, and does nothing else because of them', proof: `${CLIENT}, warnings` },
];
