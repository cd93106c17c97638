#!/usr/bin/env node
// Milliseconds that one more inference call costs a replay which follows a session: its events are made visible in the
// log one call at a time, as a recorder would append them.
//
//   node packages/core/bench/reduce/open-session.mjs BUNDLE [--last 100]
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Replay } from '@rollout-trace/core';
import { directorySource } from '@rollout-trace/core/node';

const { values: arg, positionals } = parseArgs({
  allowPositionals: true,
  options: { last: { type: 'string', default: '100' } },
});
const [bundle] = positionals;
if (bundle === undefined) {
  console.error('name a bundle');
  process.exit(2);
}

const log = readFileSync(join(bundle, 'trace.jsonl'));
/** Offsets of the lines that start an inference: a call is everything up to the next one. */
const starts = [];
for (let at = 0; at < log.length; ) {
  const end = log.indexOf(0x0a, at) + 1;
  if (log.subarray(at, end).includes('"type":"inference_started"')) starts.push(at);
  at = end;
}

let visible = 0;
const disk = directorySource(bundle);
const source = {
  ...disk,
  open: (path) => {
    if (path !== 'trace.jsonl') return disk.open(path);
    return {
      size: visible,
      read: (into, offset) => {
        const part = log.subarray(offset, Math.min(visible, offset + into.length));
        into.set(part);
        return part.length;
      },
      close: () => {},
    };
  },
};

const LAST = Math.min(Number(arg.last), starts.length - 1);
visible = starts[starts.length - LAST];
const replay = new Replay(source, { mode: 'salvage', generation: '0.169' });
replay.advance();
const times = [];
for (let i = starts.length - LAST + 1; i <= starts.length; i++) {
  visible = starts[i] ?? log.length;
  const began = performance.now();
  replay.advance();
  times.push(performance.now() - began);
}
times.sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(2);
console.log(
  `${starts.length} calls, the last ${LAST} one by one: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms`,
);
