/** `rollout-trace materialize`: a segment to the bundle it stands for. Owns the folder; the writing is the recorder's. */

import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Materialized, materializeSegment } from '@rollout-trace/core/recorder/node';
import type { Invocation } from '../args/parse.ts';
import { UsageError } from '../args/usage-error.ts';
import { bundleAt, SEGMENT_SUFFIX } from '../bundle-names.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { failureOf } from '../failure.ts';
import type { Console } from '../io/console.ts';
import { line, span, title } from '../text/span.ts';
import { counted } from '../text/units.ts';

export function materialize(asked: Invocation, console: Console): ExitCode {
  const [name = ''] = asked.operands;
  const segment = bundleAt(name, console.environment);
  if (!segment.endsWith(SEGMENT_SUFFIX)) throw new UsageError(`${segment} is a bundle already, not a segment`);
  const folder = asked.value('output') ?? segment.slice(0, -SEGMENT_SUFFIX.length);
  if (folder === '-') throw new UsageError('a bundle is a folder and cannot go to stdout');
  const parent = dirname(folder);
  const stats = statSync(parent, { throwIfNoEntry: false });
  if (stats === undefined) {
    throw new UsageError(`${parent} does not exist`, 'Make it, or name another folder with --output.');
  }
  if (!stats.isDirectory()) throw new UsageError(`${parent} is no folder`, 'Name another folder with --output.');
  if (existsSync(folder)) throw new UsageError(`${folder} exists`, 'Name another folder with --output.');
  const made = materializeWhole(segment, folder);
  if (asked.has('json')) console.json({ segment, bundle: folder, ...made }, 'compact');
  if (!asked.has('quiet')) {
    const { events, payloads } = made;
    console.remark(line(title(folder), `: ${counted(events, 'event')}, ${counted(payloads, 'payload')}`));
    if (made.tail !== null) console.remark(line('  ', span(tailText(made.tail), 'warning')));
  }
  return made.tail?.reason === 'corrupt' ? EXIT.damaged : EXIT.done;
}

/** Written beside its place and then moved there: half of a bundle is not left behind. */
function materializeWhole(segment: string, folder: string): Materialized {
  const part = `${folder}.${process.pid}.part`;
  try {
    const made = materializeSegment(segment, part);
    renameSync(part, folder);
    return made;
  } catch (error) {
    if (existsSync(part)) rmSync(part, { recursive: true, force: true });
    if (!(error instanceof Error)) throw error;
    if (error.name === 'SegmentError') {
      throw new UsageError(`${segment}: ${error.message}`, 'Update rollout-trace if the segment is newer.');
    }
    if (!('syscall' in error)) throw error;
    // The user knows the folder, not the name it has until it is whole.
    const { message } = failureOf(error);
    throw new UsageError(message.replaceAll(part, folder), 'Name another folder with --output.');
  }
}

function tailText({ reason, offset, message }: NonNullable<Materialized['tail']>): string {
  const why =
    reason === 'torn' ? 'the recorder was stopped while it wrote' : 'the bytes changed after they were written';
  return `the segment is read up to byte ${offset}: ${message} (${why})`;
}
