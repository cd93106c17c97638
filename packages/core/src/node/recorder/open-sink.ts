/** Where a process records to: the environment's word, and the sink made of it. */

import { unlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SEGMENT_SUFFIX } from '../../format/segment/segment-format.ts';
import { BundleSink } from '../../recorder/bundle-sink.ts';
import type { OpenedSink, RolloutIds } from '../../recorder/rollout.ts';
import { SegmentSink } from '../../recorder/segment-sink.ts';
import { makeFolder, traceRoot } from '../trace-root.ts';
import { AppendFile } from './append-file.ts';
import { BundleDirectory } from './bundle-directory.ts';
import { nativeCrc32 } from './native-crc32.ts';

/** The layouts a trace can be written in. The reference reads `bundle` only. */
const TRACE_FORMATS = ['bundle', 'segment'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** What a process is told by its environment. */
export interface TraceEnvironment {
  /** The folder traces are written below; null where nothing is recorded. */
  root: string | null;
  format: TraceFormat;
}

/** Reads `ROLLOUT_TRACE_ROOT`, `CODEX_ROLLOUT_TRACE_ROOT` and `ROLLOUT_TRACE_FORMAT`. An unknown format is `bundle`. */
export function traceEnvironment(env: Readonly<Record<string, string | undefined>>): TraceEnvironment {
  return { root: traceRoot(env), format: knownFormat(env.ROLLOUT_TRACE_FORMAT) ?? 'bundle' };
}

/** The layout of this name. */
export function knownFormat(name: string | undefined): TraceFormat | undefined {
  return TRACE_FORMATS.find((known) => known === name);
}

/** Makes the files of a new trace below `root`. @throws where they cannot be made */
export function openSink(root: string, format: TraceFormat, ids: RolloutIds): OpenedSink {
  // The host may go to another folder meanwhile.
  const folder = resolve(root);
  makeFolder(folder);
  const path = join(folder, `trace-${fileName(ids.traceId)}-${fileName(ids.rootThreadId)}`);
  if (format === 'bundle') {
    const directory = new BundleDirectory(path);
    return { sink: new BundleSink(directory), location: path, discard: () => directory.discard() };
  }
  const segment = path + SEGMENT_SUFFIX;
  const file = new AppendFile(segment);
  return { sink: new SegmentSink(file, nativeCrc32()), location: segment, discard: () => unlinkSync(segment) };
}

/** An id as part of a file name. Ids come from hosts and may hold anything. */
function fileName(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 80);
}
