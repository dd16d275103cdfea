/** The documents of S3's API (XML) as far as we read them: lists of objects and of uploads, ends of uploads, errors. */
import { XmlElement, parseXml } from '@rgrove/parse-xml';

export interface ListedObject {
  readonly key: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedMs: number;
  readonly etag: string;
}

export interface ListedUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiatedMs: number;
}

function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((child): child is XmlElement => child instanceof XmlElement && child.name === name);
}

function textOf(element: XmlElement, name: string): string | undefined {
  return childrenOf(element, name)[0]?.text;
}

/** Undefined: it is no XML. */
function rootOf(text: string): XmlElement | undefined {
  try {
    return parseXml(text).root ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keys may have characters that XML has not; a server that was asked for it, and can, writes them as in an address. */
function keyReader(root: XmlElement): (text: string) => string {
  if (textOf(root, 'EncodingType') !== 'url') return (text) => text;
  return (text) => {
    try {
      return decodeURIComponent(text.replace(/\+/g, ' '));
    } catch {
      return text;
    }
  };
}

/** ListObjectsV2. `next`: the token of the next page. Undefined: that is no such list. */
export function readList(text: string): { readonly objects: readonly ListedObject[]; readonly next: string | undefined } | undefined {
  const root = rootOf(text);
  if (root?.name !== 'ListBucketResult') return undefined;
  const read = keyReader(root);
  const objects = childrenOf(root, 'Contents').map((entry) => ({
    key: read(textOf(entry, 'Key') ?? ''), size: Number(textOf(entry, 'Size')), modifiedMs: Date.parse(textOf(entry, 'LastModified') ?? ''), etag: textOf(entry, 'ETag') ?? '',
  }));
  return { objects, next: textOf(root, 'IsTruncated') === 'true' ? textOf(root, 'NextContinuationToken') : undefined };
}

/** ListMultipartUploads. `next`: the two markers of the next page. */
export function readUploads(text: string): { readonly uploads: readonly ListedUpload[]; readonly next: readonly [key: string, uploadId: string] | undefined } | undefined {
  const root = rootOf(text);
  if (root?.name !== 'ListMultipartUploadsResult') return undefined;
  const read = keyReader(root);
  const uploads = childrenOf(root, 'Upload').map((entry) => ({ key: read(textOf(entry, 'Key') ?? ''), uploadId: textOf(entry, 'UploadId') ?? '', initiatedMs: Date.parse(textOf(entry, 'Initiated') ?? '') }));
  const [key, uploadId] = [textOf(root, 'NextKeyMarker'), textOf(root, 'NextUploadIdMarker')];
  return { uploads, next: textOf(root, 'IsTruncated') === 'true' && key !== undefined && uploadId !== undefined ? [read(key), uploadId] : undefined };
}

export function readUploadId(text: string): string | undefined {
  const root = rootOf(text);
  return root?.name === 'InitiateMultipartUploadResult' ? textOf(root, 'UploadId') : undefined;
}

/** Undefined: it is no error of S3's. */
export function readError(text: string): { readonly code: string; readonly message: string; readonly region: string | undefined } | undefined {
  const root = rootOf(text);
  if (root?.name !== 'Error') return undefined;
  return { code: (textOf(root, 'Code') ?? '').slice(0, 100), message: (textOf(root, 'Message') ?? '').replace(/\s+/g, ' ').slice(0, 300), region: textOf(root, 'Region') };
}

/** What CompleteMultipartUpload is given. */
export function partsDocument(etags: readonly string[]): string {
  const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`).join('')}</CompleteMultipartUpload>`;
}
