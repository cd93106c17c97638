/**
 * A bundle as a folder on disk. Owns the confinement: no path of a bundle leads out of it, neither by `..` nor by a
 * symbolic link (`docs/format.md`). Not here: finding bundles (`locate.ts`), writing files (`write-state.ts`).
 */

import { closeSync, fstatSync, lstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BundleSource,
  decodeUtf8,
  MAX_TEXT_BYTES,
  plainPath,
  SourceError,
  type SourceFile,
} from '../bundle/source.ts';

function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'it is a folder',
  EACCES: 'reading it is not permitted',
  EPERM: 'reading it is not permitted',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
};

function missing(path: string, error: unknown): SourceError {
  const code = systemCode(error);
  return new SourceError(
    'payload_missing',
    `${path} cannot be read: ${REASONS[code] ?? 'the system refuses'} (${code})`,
    error,
  );
}

/** The files of the bundle in a folder. */
export function directorySource(folder: string): BundleSource {
  const safeFolders = new Set<string>(['.']);

  /** The plain path, after checking that no part of it is a symbolic link. */
  const confined = (path: string): { file: string; size: number } => {
    const plain = plainPath(path);
    if (plain === null) throw new SourceError('payload_outside', `the path ${JSON.stringify(path)} leaves the bundle`);
    const slash = plain.lastIndexOf('/');
    const parent = slash < 0 ? '.' : plain.slice(0, slash);
    if (!safeFolders.has(parent)) {
      const parts = parent.split('/');
      for (let i = 1; i <= parts.length; i++) refuseLink(parts.slice(0, i).join('/'));
      safeFolders.add(parent);
    }
    return { file: join(folder, plain), size: refuseLink(plain) };
  };

  const refuseLink = (plain: string): number => {
    try {
      const stats = lstatSync(join(folder, plain));
      if (stats.isSymbolicLink()) {
        throw new SourceError('payload_outside', `${plain} is a symbolic link, and links of a bundle are not followed`);
      }
      if (!stats.isFile() && !stats.isDirectory()) {
        throw new SourceError('payload_missing', `${plain} cannot be read: it is not an ordinary file`);
      }
      return stats.size;
    } catch (error) {
      throw error instanceof SourceError ? error : missing(plain, error);
    }
  };

  return {
    open: (path) => open(confined(path).file, path),
    text: (path) => {
      const { file, size } = confined(path);
      if (size > MAX_TEXT_BYTES) {
        throw new SourceError(
          'limit_exceeded',
          `${path} has ${size} bytes; more than ${MAX_TEXT_BYTES} are not interpreted`,
        );
      }
      return readText(file, path);
    },
    commonPrefix: nativeCommonPrefix,
  };
}

function open(file: string, path: string): SourceFile {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw missing(path, error);
  }
  try {
    return {
      size: fstatSync(descriptor).size,
      read: (into, offset) => {
        try {
          return readSync(descriptor, into, 0, into.length, offset);
        } catch (error) {
          throw missing(path, error);
        }
      },
      close: () => closeSync(descriptor),
    };
  } catch (error) {
    closeSync(descriptor);
    throw missing(path, error);
  }
}

/** One call reads and decodes; only a text that may have been mended is looked at again as bytes. */
function readText(file: string, path: string): string | null {
  try {
    const text = readFileSync(file, 'utf8');
    return text.includes('\ufffd') ? decodeUtf8(readFileSync(file)) : text;
  } catch (error) {
    throw missing(path, error);
  }
}

/** Like the plain loop, at the speed of memcmp. */
export function nativeCommonPrefix(a: Uint8Array, b: Uint8Array): number {
  const end = Math.min(a.length, b.length);
  if (end < 32 || a[0] !== b[0]) return loop(a, b, 0, end);
  let low = 0;
  let high = end;
  if (same(a, b, 0, end)) return end;
  while (high - low > 32) {
    const middle = (low + high) >> 1;
    if (same(a, b, low, middle)) low = middle;
    else high = middle;
  }
  return loop(a, b, low, high);
}

function same(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  return Buffer.compare(a.subarray(from, to), b.subarray(from, to)) === 0;
}

function loop(a: Uint8Array, b: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && a[at] === b[at]) at++;
  return at;
}
