/**
 * What those that look into files share.
 *
 * A layer is looked at on its own, without knowing what is below or above it, so that what was found is kept under its digest and holds for each image
 * that has it. Afterwards the layers of one image are put on top of each other: that says which layer a finding is from and what a later one has deleted,
 * and `Analyser.end` judges what only the whole shows, from the facts that were kept.
 */
import type { Evidence, Finding, Rule, Severity } from '../findings/index.ts';

/** Something in one layer: a file, directory, link or device. Whiteouts are not among them. */
export interface ScanFile {
  /** A byte string (one character a byte) without a slash at its beginning: `etc/passwd`. */
  readonly path: string;
  /** Bytes; 0 for what is no file. */
  readonly size: number;
  /** As of stat(2), with S_IFMT. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a symbolic link, a byte string. A hard link is shown as the file that it is. */
  readonly linkTarget?: string;
  /** `security.capability` and others, byte strings. */
  readonly xattrs: ReadonlyMap<string, string>;
  /** The first bytes, `limit` at most; nothing for what is no file. What is asked for twice is read twice. @throws ScanInputError where the layer cannot be read */
  read(limit: number): Uint8Array;
  /** Bytes from a place on; fewer where the file ends. @throws ScanInputError */
  readAt(position: number, length: number): Uint8Array;
}

/** The configuration of an image as far as it says something; absent for a directory. */
export interface ScanConfig {
  readonly user: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDirectory: string;
  readonly volumes: readonly string[];
  /** `22/tcp` */
  readonly exposedPorts: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly history: readonly ScanHistory[];
  /** The whole document, for what the fields do not have. */
  readonly document: Readonly<Record<string, unknown>>;
}

export interface ScanHistory {
  readonly createdBy: string | undefined;
  readonly comment: string | undefined;
  readonly created: string | undefined;
  /** Undefined for an instruction that makes no layer. From 0 on, the lowest first. */
  readonly layer: number | undefined;
}

/** What an analyser found. Place and subject are those of the file unless it says otherwise. */
export interface ContentFinding {
  readonly rule: string;
  /** Default: the rule's. */
  readonly severity?: Severity;
  readonly message: string;
  /** Default: the path of the file, or the image's name. */
  readonly subject?: string;
  readonly remedy?: string;
  /** From 1 on. */
  readonly line?: number;
  readonly endLine?: number;
  /** What stands there, with secrets taken out. */
  readonly source?: string;
  readonly score?: number;
  readonly evidence?: readonly Evidence[];
  readonly data?: Readonly<Record<string, unknown>>;
  /** It counts although a later layer has deleted or replaced the file: a secret that everybody can still take out of the layer. */
  readonly staysWhenDeleted?: boolean;
}

/** Where what is found in one layer goes. */
export interface Sink {
  finding(finding: ContentFinding): void;
  /** Kept for `Analyser.end`: plain JSON, small. */
  fact(value: unknown): void;
}

/** A fact of one file. */
export interface LayerFact {
  /** A byte string. */
  readonly path: string;
  /** From 0 on, the lowest first. */
  readonly layer: number;
  /** A later layer has deleted or replaced the file: the image does not show it. */
  readonly isDeleted: boolean;
  readonly value: unknown;
}

/** An image as a whole, from what is kept of its layers: no bytes of files. */
export interface ImageContext {
  /** As a person would say it. */
  readonly target: string;
  readonly config: ScanConfig | undefined;
  readonly layerCount: number;
  /** Those of this analyser, the lowest layer first. */
  readonly facts: readonly LayerFact[];
  /** Without a place unless `file` (a byte string) and `layer` say one. */
  finding(finding: ContentFinding & { readonly file?: string; readonly layer?: number }): void;
}

/** Which of the scanners of `--scanners` something belongs to. */
export type Scanner = 'vuln' | 'secret' | 'config' | 'malware';

/** Looks into files. It keeps no state between files: layers are looked at in any order, or not at all because their results are kept. */
export interface Analyser {
  /** `secrets`; one word. */
  readonly name: string;
  readonly scanner: Scanner;
  /** A higher number than before where other rules would find other things: what is kept of layers under the old one is not used. */
  readonly version: number;
  readonly rules: readonly Rule[];
  /** By name, mode and size alone: called for everything in a layer, so it is quick. */
  wants(file: ScanFile): boolean;
  /** Each call is bounded in time and memory, whatever the file holds. @throws never for what a file holds */
  analyse(file: ScanFile, sink: Sink): void;
  /** What only the configuration or the whole shows. */
  end?(context: ImageContext): void;
}

/** Where a finding of a scan is from; in the data of the finding. */
export interface Origin {
  /** From 0 on. */
  readonly layer: number;
  /** The digest of the layer, uncompressed. */
  readonly diffId: string;
  /** The instruction that made it; absent where the history does not say. */
  readonly createdBy?: string;
  /** `base`: the image that this one was built on has it already. */
  readonly from: 'base' | 'own' | 'unknown';
  /** The name of the base. */
  readonly base?: string;
  /** The layer that deleted or replaced the file. */
  readonly deletedIn?: number;
}

export type { Evidence, Finding, Rule, Severity };
