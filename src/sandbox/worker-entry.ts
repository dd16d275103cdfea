/** What a sandbox's worker thread runs. */
import { createNodeHost } from '../host/node/index.ts';
import { prepareMachine } from '../container/index.ts';
import type { RegionCompiler } from '../container/index.ts';
import { readMachineImage } from '../host/node/image.ts';
import { workerPort } from '../host/node/worker.ts';
import { serveSandbox } from './server.ts';

const image = readMachineImage<RegionCompiler>();

serveSandbox(workerPort(), image, async ({ network }) => {
  if (network.mode === 'none' && (network.ports ?? []).length === 0) return createNodeHost();
  const { nodeNetwork } = await import('../host/node/network.ts');
  return createNodeHost({ network: nodeNetwork });
});

// A spare worker waits: what every container needs is there when its work comes.
prepareMachine(image);
