/** What all routes share: the registry as one object, and what a handler is given. */
import type { HttpConnection } from '../host/types.ts';
import { RegistryFailure } from './errors.ts';
import type { RegistryLimits } from './limits.ts';
import type { Digest } from '../image/index.ts';
import type { Pushed, Repository } from './repository.ts';
import type { RegistryStorage } from './storage.ts';
import { Uploads } from './uploads.ts';
import type { Allowance, Upload } from './uploads.ts';

export type Action = 'pull' | 'push' | 'delete';

/** Who asks, and what they may do. */
export interface Caller {
  /** Undefined: nobody has said who they are. */
  readonly name: string | undefined;
  may(action: Action, repository: string): boolean;
}

export interface Exchange {
  readonly request: Request;
  readonly url: URL;
  readonly connection: HttpConnection;
  readonly caller: Caller;
  /** The parts of the address that the route names. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
}

export interface RegistryOptions {
  readonly storage: RegistryStorage;
  readonly limits: RegistryLimits;
  /** What went wrong on our side, one line each. */
  readonly log: (line: string) => void;
}

export class Registry {
  readonly storage: RegistryStorage;
  readonly uploads: Uploads;
  readonly limits: RegistryLimits;
  readonly log: (line: string) => void;

  constructor({ storage, limits, log }: RegistryOptions) {
    this.storage = storage;
    this.uploads = new Uploads(storage);
    this.limits = limits;
    this.log = log;
  }

  /** Bounds what may still come to an upload of which `size` bytes are here. */
  allowance(repository: Repository, size: number): Allowance {
    const { blobBytes } = this.limits;
    let total = size;
    return (bytes) => {
      total += bytes;
      if (total > blobBytes) throw new RegistryFailure('SIZE_INVALID', `a blob may have ${blobBytes} bytes at most`, { status: 413 });
      void repository;
    };
  }

  /** An upload that is whole becomes a blob of its repository. @throws RegistryFailure DIGEST_INVALID */
  async finish(upload: Upload, digest: Digest): Promise<void> {
    await this.uploads.finish(upload, digest);
  }

  link(repository: Repository, digest: Digest): void {
    repository.link(digest);
  }

  async putManifest(repository: Repository, pushed: Pushed): Promise<void> {
    await repository.putManifest(pushed);
  }

  removeManifest(repository: Repository, digest: Digest): boolean {
    return repository.removeManifest(digest);
  }
}
