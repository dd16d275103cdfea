/**
 * Networks that containers share, in the store:
 *
 *   networks/NAME/network.json      what it was made with; a network is there as long as this is
 *   networks/NAME/members/ADDRESS   the container that runs at the address, and what it is called
 *   networks/NAME/members/ADDRESS.sock   where its process listens for the others
 *   networks/NAME/lock              who joins, leaves or removes it at the moment
 *
 * Who makes one holds the store's lock, so that two never get the same addresses. A member whose process has ended has left.
 */
import { parseRange, type AddressRange } from '../container/index.ts';
import { StoreLock } from '../image/index.ts';
import type { Disk, ImageStore } from '../image/index.ts';
import { nearestName } from '../image/nearest.ts';
import { EventLog } from './events.ts';
import { LifecycleError } from './errors.ts';
import { MOST_RECORD_BYTES } from './limits.ts';
import { randomId } from './names.ts';

export interface NetworkRecord {
  readonly name: string;
  readonly id: string;
  /** IPv4: `10.89.0.0/24`. */
  readonly subnet: string;
  /** Nothing of it reaches outside, and no port leads in. */
  readonly internal: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdMs: number;
}

/** A container that runs on a network. */
export interface NetworkMember {
  readonly address: string;
  readonly container: string;
  /** Its name first; in lower case. */
  readonly names: readonly string[];
  /** `ImageHost.owner` of its process. */
  readonly owner: string;
}

const VERSION = 1;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const MOST_NAME_LENGTH = 100;
/** They mean something else, here or to Docker. */
const RESERVED = ['none', 'outbound', 'host', 'bridge', 'default', 'container'];
/** Each network has 10.89.N.0/24 unless it is said otherwise, as Podman's. */
const OWN_SUBNETS = 256;
/** What subnets may be part of: addresses that nobody has on the Internet (RFC 1918). */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map((text) => parseRange(text)!);
/** A network of its own that every container has which is on none (`OWN_NETWORK`). */
const TAKEN = ['10.0.2.0/24'];
const LARGEST = 16;
const SMALLEST = 29;

export class NoSuchNetworkError extends LifecycleError {
  override readonly name = 'NoSuchNetworkError';

  constructor(text: string, nearest?: string) {
    super(`network ${text} not found`, nearest === undefined ? 'see "caisson network ls"' : `did you mean "${nearest}"?`);
  }
}

function numberOf(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
function addressOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
/** First and last address. */
function boundsOf({ bytes, prefix }: AddressRange): readonly [first: number, last: number] {
  const size = 2 ** (32 - prefix);
  const first = Math.floor(numberOf(bytes) / size) * size;
  return [first, first + size - 1];
}
function overlap(one: AddressRange, other: AddressRange): boolean {
  const [[first, last], [otherFirst, otherLast]] = [boundsOf(one), boundsOf(other)];
  return first <= otherLast && otherFirst <= last;
}

export function gatewayOf(subnet: string): string {
  return addressOf(boundsOf(parseRange(subnet)!)[0] + 1);
}
export function prefixOf(subnet: string): number {
  return parseRange(subnet)!.prefix;
}

function isNetwork(value: unknown, name: string): value is NetworkRecord & { readonly version: number } {
  if (typeof value !== 'object' || value === null) return false;
  const { version, name: own, id, subnet, labels } = value as Partial<Record<string, unknown>>;
  return version === VERSION && own === name && typeof id === 'string' && typeof subnet === 'string' && parseRange(subnet)?.bytes.length === 4 && typeof labels === 'object' && labels !== null;
}
function isMember(value: unknown): value is NetworkMember {
  if (typeof value !== 'object' || value === null) return false;
  const { container, names, owner } = value as Partial<Record<string, unknown>>;
  return typeof container === 'string' && typeof owner === 'string' && Array.isArray(names);
}

export class Networks {
  readonly #store: ImageStore;
  readonly #disk: Disk;
  readonly #events: EventLog;

  constructor(store: ImageStore) {
    this.#store = store;
    this.#disk = store.disk;
    this.#events = new EventLog(store.disk);
  }

  #say(action: string, { id, name }: Pick<NetworkRecord, 'id' | 'name'>, container?: string): void {
    this.#events.append('network', action, id, { name, type: 'bridge', ...(container === undefined ? {} : { container }) });
  }

  #path(...parts: readonly string[]): string {
    return this.#disk.path('networks', ...parts);
  }
  membersPath(name: string): string {
    return this.#path(name, 'members');
  }

  #parse(path: string): unknown {
    const bytes = this.#disk.readFile(path, MOST_RECORD_BYTES);
    try {
      return bytes === undefined ? undefined : JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch {
      return undefined;
    }
  }
  #read(name: string): NetworkRecord | undefined {
    const value = this.#parse(this.#path(name, 'network.json'));
    return isNetwork(value, name) ? value : undefined;
  }

  /** By name. */
  list(): readonly NetworkRecord[] {
    return this.#disk.list(this.#path()).flatMap((name) => this.#read(name) ?? []).sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** By name, or the beginning of an id. @throws NoSuchNetworkError, LifecycleError where a beginning fits several. */
  find(text: string): NetworkRecord {
    const exact = NAME.test(text) ? this.#read(text) : undefined;
    if (exact !== undefined) return exact;
    const all = this.list();
    const fitting = text === '' ? [] : all.filter(({ id }) => id.startsWith(text));
    if (fitting.length > 1) throw new LifecycleError(`multiple networks found with provided prefix: ${text}`, 'give more of its digits');
    if (fitting[0] === undefined) throw new NoSuchNetworkError(text, nearestName(text, all.map(({ name }) => name)));
    return fitting[0];
  }

  /** @throws LifecycleError for a name that is none or is taken, for a subnet that cannot be used. */
  create({ name, subnet, internal, labels }: { readonly name: string; readonly subnet: string | undefined; readonly internal: boolean; readonly labels: Readonly<Record<string, string>> }): NetworkRecord {
    if (!NAME.test(name) || name.length > MOST_NAME_LENGTH) throw new LifecycleError(`invalid network name "${name.slice(0, MOST_NAME_LENGTH)}": only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`, `${MOST_NAME_LENGTH} characters at most`);
    if (RESERVED.includes(name)) throw new LifecycleError(`a network cannot be called "${name}"`, 'that word means something else; take another one');
    return this.#store.lock.hold(() => {
      if (this.#read(name) !== undefined) throw new LifecycleError(`network with name ${name} already exists`, 'use it, or remove it with "caisson network rm"');
      const { host } = this.#disk;
      const record: NetworkRecord = { name, id: randomId((buffer) => host.random(buffer)), subnet: this.#subnet(subnet), internal, labels, createdMs: host.now() };
      for (const directory of [this.#path(), this.#path(name), this.membersPath(name)]) this.#disk.makeDirectory(directory);
      try {
        this.#disk.writeFile(this.#path(name, 'network.json'), new TextEncoder().encode(`${JSON.stringify({ version: VERSION, ...record })}\n`));
      } catch (error) {
        for (const directory of [this.membersPath(name), this.#path(name)]) this.#disk.files.rmdir(directory);
        throw error;
      }
      this.#say('create', record);
      return record;
    });
  }

  /** The one that is wanted, or a free one. */
  #subnet(wanted: string | undefined): string {
    const taken = [...TAKEN, ...this.list().map(({ subnet }) => subnet)].map((text) => parseRange(text)!);
    const isFree = (text: string): boolean => !taken.some((range) => overlap(range, parseRange(text)!));
    if (wanted === undefined) {
      const free = Array.from({ length: OWN_SUBNETS }, (_, index) => `10.89.${index}.0/24`).find(isFree);
      if (free === undefined) throw new LifecycleError('all of 10.89.0.0/16 is taken by networks', 'remove some with "caisson network prune", or give --subnet');
      return free;
    }
    const range = wanted.includes('/') ? parseRange(wanted) : undefined;
    const wrong = (why: string): LifecycleError => new LifecycleError(`cannot use the subnet ${wanted}: ${why}`, 'such as 10.10.0.0/24');
    if (range?.bytes.length !== 4) throw wrong('it is not an IPv4 range ADDRESS/BITS');
    if (range.prefix < LARGEST || range.prefix > SMALLEST) throw wrong(`it has fewer than ${LARGEST} or more than ${SMALLEST} bits`);
    if (!PRIVATE.some((outer) => boundsOf(outer)[0] <= boundsOf(range)[0] && boundsOf(range)[1] <= boundsOf(outer)[1])) throw wrong('its addresses belong to others on the Internet');
    const subnet = `${addressOf(boundsOf(range)[0])}/${range.prefix}`;
    if (!isFree(subnet)) throw wrong('it overlaps with another network');
    return subnet;
  }

  #locked<Result>(name: string, body: () => Result): Result {
    return new StoreLock(this.#disk, `networks/${name}/lock`, () => {}).hold(body);
  }

  #addresses(name: string): readonly string[] {
    return this.#disk.list(this.membersPath(name)).filter((file) => !file.endsWith('.sock'));
  }

  /** Those whose processes live. */
  members(name: string): readonly NetworkMember[] {
    return this.#addresses(name).flatMap((address) => {
      const value = this.#parse(`${this.membersPath(name)}/${address}`);
      return isMember(value) && this.#disk.host.hasEnded(value.owner) !== true ? [{ ...value, address }] : [];
    });
  }

  /** An address that no member has, written down. @throws NoSuchNetworkError; LifecycleError where there is none left. */
  join({ id, name, subnet }: NetworkRecord, member: Omit<NetworkMember, 'address'>): NetworkMember {
    return this.#locked(name, () => {
      if (this.#read(name) === undefined) throw new NoSuchNetworkError(name);
      const used = new Set(this.members(name).map(({ address }) => address));
      const [first, last] = boundsOf(parseRange(subnet)!);
      // The network's own address, the gateway's, and broadcast's are nobody's.
      for (let number = first + 2; number < last; number++) {
        const address = addressOf(number);
        if (used.has(address)) continue;
        this.#disk.remove(`${this.membersPath(name)}/${address}.sock`);
        this.#disk.writeFileQuickly(`${this.membersPath(name)}/${address}`, new TextEncoder().encode(JSON.stringify(member)));
        this.#say('connect', { id, name }, member.container);
        return { ...member, address };
      }
      throw new LifecycleError(`the network ${name} has no free address in ${subnet}`, 'stop some of its containers, or make a larger one');
    });
  }

  /** Another may have its address by now. */
  leave(name: string, address: string, container: string): void {
    this.#remove(name, address, (member) => member.container === container);
  }

  /** Those whose processes were killed leave, on all networks: also one that had not written down yet where it is. */
  removeEnded(): void {
    const hasEnded = ({ owner }: Omit<NetworkMember, 'address'>): boolean => this.#disk.host.hasEnded(owner) === true;
    for (const { name } of this.list()) {
      // One that was held is taken over, and given back.
      if (this.#disk.exists(this.#path(name, 'lock'))) this.#locked(name, () => {});
      for (const address of this.#addresses(name)) {
        const value = this.#parse(`${this.membersPath(name)}/${address}`);
        if (isMember(value) && hasEnded(value)) this.#remove(name, address, hasEnded);
      }
    }
  }

  #remove(name: string, address: string, isWanted: (member: Omit<NetworkMember, 'address'>) => boolean): void {
    const network = this.#read(name);
    if (network === undefined) return;
    this.#locked(name, () => {
      const path = `${this.membersPath(name)}/${address}`;
      const value = this.#parse(path);
      if (!isMember(value) || !isWanted(value)) return;
      for (const file of [path, `${path}.sock`]) this.#disk.remove(file);
      this.#say('disconnect', network, value.container);
    });
  }

  /** @throws LifecycleError while containers run on it. */
  remove({ id, name }: NetworkRecord): void {
    this.#locked(name, () => {
      const [member, ...others] = this.members(name);
      if (member !== undefined) throw new LifecycleError(`network ${name} has active endpoints: ${[member, ...others].map(({ names }) => names[0]).join(', ')}`, 'stop these containers first');
      this.#disk.remove(this.#path(name, 'network.json'));
      for (const file of this.#disk.list(this.membersPath(name))) this.#disk.remove(`${this.membersPath(name)}/${file}`);
      this.#disk.files.rmdir(this.membersPath(name));
    });
    this.#disk.files.rmdir(this.#path(name));
    this.#say('destroy', { id, name });
  }
}
