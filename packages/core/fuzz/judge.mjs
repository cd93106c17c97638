// @ts-check
// What is promised of every input, as one function: what is wrong with how these files were reduced, or nothing.

import { memorySource, reduceBundle, stateJson, TraceError } from '@rollout-trace/core';
import { graphViolations } from '@rollout-trace/core/reducer';

/** @typedef {import('@rollout-trace/core').ReducedBundle} ReducedBundle */
/** @typedef {import('@rollout-trace/core').Generation} Generation */

const decoder = new TextDecoder();

/**
 * Whether the events are in the order of their seq; only then are windows compared by seq.
 *
 * @param {Map<string, Uint8Array>} files
 */
function seqAscends(files) {
  let last = 0n;
  for (const line of decoder.decode(files.get('trace.jsonl')).split('\n')) {
    for (const [, seq = '0'] of line.matchAll(/"seq":\s*(\d+)/g)) {
      if (BigInt(seq) <= last) return false;
      last = BigInt(seq);
    }
  }
  return true;
}

/**
 * @param {Map<string, Uint8Array>} files
 * @param {import('@rollout-trace/core').ReplayOptions} options
 * @returns {ReducedBundle | import('@rollout-trace/core').TraceError}
 */
function reduced(files, options) {
  try {
    return reduceBundle(memorySource(files), options);
  } catch (error) {
    if (error instanceof TraceError) return error;
    throw error;
  }
}

/** @param {ReducedBundle} bundle */
const printed = ({ graph, rules }) => stateJson(graph, { rules });

/** What salvage may fail of: the files are no bundle at all. @type {readonly string[]} */
const NO_BUNDLE = ['manifest_missing', 'log_missing', 'payload_outside'];

/**
 * @param {Map<string, Uint8Array>} files
 * @param {{ generation?: Generation | undefined, plain?: boolean }} [options] a generation to read them as; whether the
 *   plain way of reading requests is tried as well
 * @returns {string | null}
 */
export function judge(files, { generation, plain = false } = {}) {
  try {
    return verdict(files, generation, plain);
  } catch (error) {
    return `threw ${error instanceof Error ? error.stack : error}`;
  }
}

/** @param {Map<string, Uint8Array>} files @param {Generation | undefined} generation @param {boolean} plain */
function verdict(files, generation, plain) {
  const salvaged = reduced(files, { mode: 'salvage', generation });
  const strict = reduced(files, { mode: 'strict', generation });
  if (strict instanceof TraceError && strict.code === 'internal') return `internal in strict: ${strict.message}`;
  if (salvaged instanceof TraceError) {
    if (!NO_BUNDLE.includes(salvaged.code)) return `salvage failed: ${salvaged.code}: ${salvaged.message}`;
    return strict instanceof TraceError ? null : 'strict reduced what salvage did not';
  }
  const { findings, graph } = salvaged;
  const internal = findings.find(({ code }) => code === 'internal');
  if (internal !== undefined) return `internal: ${internal.message}`;
  const [violation] = graphViolations(graph, { seqAscends: seqAscends(files) });
  if (violation !== undefined) return `violation: ${violation}`;
  const state = printed(salvaged);
  if (plain) {
    const slow = reduced(files, { mode: 'salvage', generation, sharePrefixes: false });
    if (slow instanceof TraceError || printed(slow) !== state) return 'the fast way and the plain way differ';
  }
  if (strict instanceof TraceError) {
    const codes = findings.filter(({ severity }) => severity === 'error').map(({ code }) => code);
    return codes.includes(strict.code) ? null : `strict fails of ${strict.code}, which salvage does not find`;
  }
  const isSound = findings.every(({ severity }) => severity === 'info');
  return isSound && printed(strict) !== state ? 'strict and salvage differ without a finding' : null;
}
