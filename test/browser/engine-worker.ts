/** The engine in a web worker: takes files and a command line, answers with what it printed and how it ended. */
import { Container, DEFAULT_CAPABILITIES, DEFAULT_LIMITS } from '../../src/container/index.ts';
import { regionCompiler } from '../../src/machine/translator/index.ts';
import { createBrowserHost } from '../../src/host/browser/index.ts';

export interface Job {
  /** Where to fetch what: guest path to URL. All become executable files. */
  readonly files: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly input: string;
}

export interface JobResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | undefined;
  readonly signal: number | undefined;
  readonly translatedUnits: number;
}

async function fetchBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`cannot fetch ${url}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function runJob({ files, argv, env, input }: Job): Promise<JobResult> {
  const container = Container.create(
    createBrowserHost(),
    { root: '/', mounts: [{ kind: 'tmpfs', destination: '/tmp' }], hide: [], readOnly: false, hostname: 'browser', limits: DEFAULT_LIMITS, network: { mode: 'none', allow: [] } },
    { image: { interpreter: await fetchBytes('/interpreter.bin'), translator: () => regionCompiler } },
  );
  for (const [path, url] of Object.entries(files)) {
    const directory = path.slice(0, path.lastIndexOf('/'));
    if (directory !== '') container.files.makeDirectory(directory);
    const failed = container.files.writeFile(path, await fetchBytes(url), 0o755);
    if (failed !== 0) throw new Error(`cannot write ${path}: errno ${-failed}`);
  }
  const output: [string, string] = ['', ''];
  const process = container.start(
    { argv, env, cwd: '/', user: { uid: 0, gid: 0, groups: [] }, capabilities: DEFAULT_CAPABILITIES, rlimits: [] },
    {
      onOutput: (fd, bytes) => {
        output[fd - 1] += new TextDecoder('latin1').decode(bytes);
        return true;
      },
      onInputWanted: () => {},
      onInputRoom: () => {},
    },
  );
  if (typeof process === 'number') throw new Error(`cannot start ${argv[0]}: errno ${-process}`);
  process.pushInput(new TextEncoder().encode(input));
  process.endInput();
  const { code, signal } = await process.ended;
  return { stdout: output[0], stderr: output[1], code, signal, translatedUnits: container.statistics().machine.unitsTranslated };
}

self.addEventListener('message', (event: MessageEvent<Job>) => {
  runJob(event.data).then(
    (result) => self.postMessage({ result }),
    (error: unknown) => self.postMessage({ failure: String(error instanceof Error ? error.stack : error) }),
  );
});
