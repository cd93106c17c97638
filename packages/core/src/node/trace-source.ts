/** What a path on disk is: the folder of a bundle, or a segment. Not here: reading either. */

import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { TraceSource } from '../bundle/replay.ts';
import type { SegmentSource } from '../bundle/segment-evidence.ts';
import { directorySource, openFile } from './directory-source.ts';
import { nativeCrc32 } from './recorder/native-crc32.ts';

/** A segment on disk. */
export function segmentSource(file: string): SegmentSource {
  const name = basename(file);
  return { layout: 'segment', name, open: () => openFile(file, name), ...nativeCrc32() };
}

/** The trace at a path: a file is a segment, everything else is taken for the folder of a bundle. */
export function traceSource(path: string): TraceSource {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  return isFile ? segmentSource(path) : directorySource(path);
}
