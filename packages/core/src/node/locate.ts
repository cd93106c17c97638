/**
 * Which bundle a name means: a path, `@last`, or the beginning of an id below the folder that recorders write to.
 * Not here: reading the bundle (`directory-source.ts`), listing many (`list.ts`).
 */

import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { EVENT_LOG_FILE, MANIFEST_FILE, type Manifest } from '../format/manifest.ts';
import { SEGMENT_SUFFIX } from '../format/segment/segment-format.ts';
import { evidenceOf, findBundles, isBundle, listBundle, listedManifest, newestFirst } from './list.ts';
import { traceSource } from './trace-source.ts';

/** A name means no bundle, or more than one. */
export class LocateError extends Error {
  readonly hint: string;
  /** Bundles that were meant perhaps, newest first. */
  readonly candidates: readonly LocatedBundle[];
  constructor(message: string, hint: string, candidates: readonly LocatedBundle[] = []) {
    super(message);
    this.name = 'LocateError';
    this.hint = hint;
    this.candidates = candidates;
  }
}

/** A bundle with its manifest, if that can be read. */
export interface LocatedBundle {
  path: string;
  manifest: Manifest | null;
}

const LAST = /^@last(?:~(\d+))?$/;
const WHAT_IT_IS = `A bundle is a folder with ${MANIFEST_FILE} and ${EVENT_LOG_FILE}, or a file that ends in ${SEGMENT_SUFFIX}.`;
const LISTED = '`rollout-trace ls` lists them.';
const SET_ROOT = 'Set ROLLOUT_TRACE_ROOT to the folder with the bundles, or give the path of one.';

/**
 * The path of the bundle that `name` means: an existing path, else `@last` (newest first, `@last~1` the one before),
 * else the beginning of one rollout or trace id below `root`.
 *
 * @throws LocateError where that is no bundle, or more than one
 */
export function locateBundle(name: string, root: string | null): string {
  const last = LAST.exec(name);
  if (last !== null) return nthLast(root, Number(last[1] ?? 0), name);
  const stats = statSync(name, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) return checked(name);
  if (stats?.isFile() === true) return bundleOfFile(name);
  if (name === '' || /[/\\]/.test(name)) throw new LocateError(`${name || "''"} does not exist`, 'Is the path right?');
  return byId(name, root);
}

function checked(folder: string): string {
  if (isBundle(folder)) return folder;
  for (const path of findBundles(folder)) {
    const hint = `\`rollout-trace ls ${folder}\` lists those below it.`;
    throw new LocateError(`${folder} is no bundle, but has bundles below it`, hint, [located(path)]);
  }
  throw new LocateError(`${folder} is no bundle`, WHAT_IT_IS);
}

function bundleOfFile(file: string): string {
  if (file.endsWith(SEGMENT_SUFFIX)) return file;
  if ([MANIFEST_FILE, EVENT_LOG_FILE].includes(basename(file))) return dirname(file);
  throw new LocateError(`${file} is no bundle`, WHAT_IT_IS);
}

function located(path: string): LocatedBundle {
  return { path, manifest: listedManifest(evidenceOf(traceSource(path))).manifest };
}

/** The bundles below a root, newest first. */
function bundlesOf(root: string): LocatedBundle[] {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new LocateError(`the trace root ${root} is no folder`, SET_ROOT);
  }
  return [...findBundles(root)]
    .map((path) => {
      const bundle = located(path);
      const { manifest } = bundle;
      // Where the manifest is lost, the log tells.
      const { started_at_unix_ms } = manifest ?? listBundle(path);
      return { bundle, path, started_at_unix_ms };
    })
    .sort(newestFirst)
    .map(({ bundle }) => bundle);
}

function nthLast(root: string | null, back: number, name: string): string {
  if (root === null) throw new LocateError(`${name} needs a folder to look in`, SET_ROOT);
  const bundles = bundlesOf(root);
  const found = bundles[back];
  if (found !== undefined) return found.path;
  const count = bundles.length === 1 ? 'is 1 bundle' : `are ${bundles.length} bundles`;
  throw new LocateError(`${name} does not exist: there ${count} below ${root}`, LISTED);
}

function byId(name: string, root: string | null): string {
  if (root === null) {
    throw new LocateError(`${name} does not exist`, 'With ROLLOUT_TRACE_ROOT set, the beginning of an id is enough.');
  }
  const matching = bundlesOf(root).filter(
    ({ manifest }) => manifest?.rollout_id.startsWith(name) === true || manifest?.trace_id.startsWith(name) === true,
  );
  const [found, ...others] = matching;
  if (found === undefined) {
    throw new LocateError(`${name} is no path, and no rollout or trace id below ${root} begins so`, LISTED);
  }
  if (others.length > 0) {
    throw new LocateError(`${name} means ${matching.length} bundles`, 'Give more of the id, or a path.', matching);
  }
  return found.path;
}
