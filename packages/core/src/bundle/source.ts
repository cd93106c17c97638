/**
 * Where the bytes of a bundle come from: the one interface between the pure reader and the edges. Synchronous, because
 * the reducer is; an edge that can only wait loads what an event needs before it steps.
 *
 * Paths are those of the bundle, relative and with slashes. An edge must refuse those that leave the bundle.
 */

import type { FindingCode } from '../format/finding.ts';

/** A file of the bundle cannot be had. */
export class SourceError extends Error {
  readonly code: FindingCode;
  constructor(code: FindingCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SourceError';
    this.code = code;
  }
}

/** An open file. */
export interface SourceFile {
  /** In bytes, when it was asked for first. */
  readonly size: number;
  /** Reads from an offset into the buffer; fewer bytes than asked for only at the end of the file. */
  read(into: Uint8Array, offset: number): number;
  close(): void;
}

/** The files of one bundle. Every method throws {@link SourceError} where the file cannot be had. */
export interface BundleSource {
  open(path: string): SourceFile;
  /** The whole file as text, or null where it is not UTF-8. A byte order mark stays in the text. */
  text(path: string): string | null;
  /** The bytes as text, or null where they are not UTF-8. A byte order mark stays. */
  decode(bytes: Uint8Array): string | null;
  /** How many leading bytes two arrays have in common. The edge may know a faster way than a loop. */
  commonPrefix(a: Uint8Array, b: Uint8Array): number;
}

/** Texts beyond this size are not interpreted: 256 MiB. */
export const MAX_TEXT_BYTES: number = 2 ** 28;

/** The plain way to compare bytes. */
function commonPrefix(a: Uint8Array, b: Uint8Array): number {
  const end = Math.min(a.length, b.length);
  let at = 0;
  while (at < end && a[at] === b[at]) at++;
  return at;
}

const PLAIN = /^(?:\w+\/)*\w+\.\w+$/;

/**
 * A path of a bundle in its plain form (`payloads/1.json`), or null where it is absolute, empty, or leaves the bundle.
 */
export function plainPath(path: string): string | null {
  if (PLAIN.test(path)) return path;
  if (path === '' || path.startsWith('/') || path.includes('\0') || path.includes('\\') || /^[A-Za-z]:/.test(path))
    return null;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (parts.pop() === undefined) return null;
    } else parts.push(part);
  }
  return parts.length === 0 ? null : parts.join('/');
}

/** A bundle in memory: for browsers, tests, and whoever has the files already. */
export function memorySource(files: ReadonlyMap<string, Uint8Array>): BundleSource {
  const bytesOf = (path: string): Uint8Array => {
    const plain = plainPath(path);
    if (plain === null) throw new SourceError('payload_outside', `the path ${path} leaves the bundle`);
    const bytes = files.get(plain);
    if (bytes === undefined) throw new SourceError('payload_missing', `${plain} is not in the bundle`);
    return bytes;
  };
  return {
    open: (path) => {
      const bytes = bytesOf(path);
      return {
        size: bytes.length,
        read: (into, offset) => {
          const part = bytes.subarray(offset, offset + into.length);
          into.set(part);
          return part.length;
        },
        close: () => {},
      };
    },
    text: (path) => decodeUtf8(bytesOf(path)),
    decode: decodeUtf8,
    commonPrefix,
  };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes as text, or null where they are not UTF-8. A byte order mark stays. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}
