/**
 * A bundle as a folder on disk. Owns the confinement: no path of a bundle leads out of it, neither by `..` nor by a
 * symbolic link (`docs/format.md`). Not here: finding bundles (`locate.ts`), writing files (`write-state.ts`).
 */

import { isAscii, isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync, type Stats } from 'node:fs';
import { type BundleSource, MAX_TEXT_BYTES, plainPath, SourceError, type SourceFile } from '../bundle/source.ts';

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

/** Opens for reading; a link is refused by the system itself, a pipe does not block. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Files up to this size are read with one call. */
const ONE_READ = 1 << 18;

/** The files of the bundle in a folder. */
export function directorySource(folder: string): BundleSource {
  const ordinary = new OrdinaryFiles(folder);
  let scratch: Buffer | null = null;

  /** The path on disk, after checking that it stays inside and is an ordinary file. */
  const confined = (path: string): string => {
    const plain = plainPath(path);
    if (plain === null) throw new SourceError('payload_outside', `the path ${JSON.stringify(path)} leaves the bundle`);
    ordinary.check(plain);
    return `${folder}/${plain}`;
  };

  return {
    open: (path) => openFile(confined(path), path),
    text: (path) => {
      const file = confined(path);
      const descriptor = openDescriptor(file, path);
      try {
        scratch ??= Buffer.allocUnsafeSlow(ONE_READ);
        const size = readSync(descriptor, scratch, 0, ONE_READ, 0);
        return size < ONE_READ ? decode(scratch.subarray(0, size)) : readLarge(descriptor, path);
      } catch (error) {
        throw error instanceof SourceError ? error : missing(path, error);
      } finally {
        closeSync(descriptor);
      }
    },
    decode,
    commonPrefix: nativeCommonPrefix,
  };
}

/** Which files of a bundle are ordinary ones. Folders are listed once; what a listing does not know is asked for. */
class OrdinaryFiles {
  readonly #root: string;
  /** Names of ordinary files, by plain path of their folder. */
  readonly #known = new Map<string, Set<string>>();
  constructor(root: string) {
    this.#root = root;
  }

  /** @throws SourceError where a part of the path is a symbolic link, or the file is missing or no ordinary file */
  check(plain: string): void {
    const slash = plain.lastIndexOf('/');
    const parent = slash < 0 ? '' : plain.slice(0, slash);
    const name = slash < 0 ? plain : plain.slice(slash + 1);
    if (this.#folder(parent).has(name)) return;
    const stats = this.#stats(plain);
    if (!stats.isFile() && !stats.isDirectory()) {
      throw new SourceError('payload_missing', `${plain} cannot be read: it is not an ordinary file`);
    }
    if (stats.isFile()) this.#folder(parent).add(name);
  }

  #folder(plain: string): Set<string> {
    const known = this.#known.get(plain);
    if (known !== undefined) return known;
    const names = new Set<string>();
    // The folder of the bundle itself may be reached by a link: the user named it.
    if (plain !== '') {
      const parts = plain.split('/');
      for (let i = 1; i <= parts.length; i++) this.#stats(parts.slice(0, i).join('/'));
      this.#list(plain, names);
    }
    this.#known.set(plain, names);
    return names;
  }

  #list(plain: string, names: Set<string>): void {
    try {
      for (const entry of readdirSync(`${this.#root}/${plain}`, { withFileTypes: true })) {
        if (entry.isFile()) names.add(entry.name);
      }
    } catch {
      // A folder that cannot be listed may still be entered; its files are asked for one by one.
    }
  }

  #stats(plain: string): Stats {
    let stats: Stats;
    try {
      stats = lstatSync(`${this.#root}/${plain}`);
    } catch (error) {
      throw missing(plain, error);
    }
    if (!stats.isSymbolicLink()) return stats;
    throw new SourceError('payload_outside', `${plain} is a symbolic link, and links of a bundle are not followed`);
  }
}

function openDescriptor(file: string, path: string): number {
  try {
    return openSync(file, OPEN_FLAGS);
  } catch (error) {
    throw missing(path, error);
  }
}

/** Opens a file on disk; `path` is what it is called in errors. */
export function openFile(file: string, path: string): SourceFile {
  return new DiskFile(openDescriptor(file, path), path);
}

class DiskFile implements SourceFile {
  readonly #descriptor: number;
  readonly #path: string;
  #size: number | null = null;
  constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    this.#path = path;
  }

  /** Asked for only by those who need it: most files are read to their end, wherever it is. */
  get size(): number {
    try {
      this.#size ??= fstatSync(this.#descriptor).size;
      return this.#size;
    } catch (error) {
      throw missing(this.#path, error);
    }
  }

  read(into: Uint8Array, offset: number): number {
    try {
      return readSync(this.#descriptor, into, 0, into.length, offset);
    } catch (error) {
      throw missing(this.#path, error);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function readLarge(descriptor: number, path: string): string | null {
  const { size } = fstatSync(descriptor);
  if (size > MAX_TEXT_BYTES) {
    throw new SourceError(
      'limit_exceeded',
      `${path} has ${size} bytes; more than ${MAX_TEXT_BYTES} are not interpreted`,
    );
  }
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  while (at < size) {
    const read = readSync(descriptor, bytes, at, size - at, at);
    if (read === 0) break;
    at += read;
  }
  return decode(bytes.subarray(0, at));
}

/** The native decoders, by what the bytes are: plain ASCII, as most are, is only copied. */
function decode(bytes: Uint8Array): string | null {
  if (isAscii(bytes)) return Buffer.prototype.latin1Slice.call(bytes, 0, bytes.length);
  return isUtf8(bytes) ? Buffer.prototype.utf8Slice.call(bytes, 0, bytes.length) : null;
}

/** Like the plain loop, at the speed of memcmp. */
function nativeCommonPrefix(a: Uint8Array, b: Uint8Array): number {
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
