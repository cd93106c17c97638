// @ts-check
/**
 * The conformance loop: reduces bundles beside which the reference's answer lies, and compares bytes or failures.
 *
 * Serves the tests (source) and `scripts/parity.mjs` (build): whoever calls it passes the core. A folder of bundles is
 * a folder whose children have `manifest.json` or an expected file; the generation stands in the path.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What the first line of a failure of the reference is here: our code, and words that our message must contain. */
const FAILURES = /** @type {[RegExp, string[]][]} */ ([
  [/^No such file or directory/, ['manifest_missing']],
  [/^read <bundle>\/manifest\.json$/, ['manifest_invalid']],
  [/^open trace event log /, ['log_missing']],
  [/^trace schema (\d+) cannot establish/, ['schema_unsupported']],
  [/^read trace event line (\d+)$/, ['line_unreadable']],
  [/^parse trace event line (\d+)$/, ['line_invalid', 'line_torn', 'event_unknown']],
  [/^unsupported trace event schema (\d+) at line (\d+)$/, ['event_schema_unsupported']],
  [/^missing or reordered trace event (\d+)$/, ['seq_broken']],
  [/^trace event belongs to another rollout$/, ['rollout_mismatch']],
  [/^trace event after recording completed$/, ['event_after_end']],
  [/^raw trace event has no reducer implementation$/, ['event_unsupported']],
  [/^(?:open|read) payload (\S+)$/, ['payload_missing', 'payload_outside', 'payload_invalid']],
  [/^(?:parse|invalid) payload (\S+)$/, ['payload_invalid']],
  [/^duplicate thread start for (\S+)$/, ['thread_duplicate']],
  [/^trace event referenced unknown thread (\S+)$/, ['thread_unknown']],
  [/^parse thread metadata (\S+)$/, ['thread_metadata_invalid']],
  [/^cannot resume thread ([^\s:]+)/, ['thread_resume_unknown']],
  [/^resumed thread (\S+) has not ended$/, ['thread_resume_running']],
  [/^duplicate codex turn start for (\S+)$/, ['turn_duplicate']],
  [/^codex turn end referenced unknown turn (\S+)$/, ['turn_unknown']],
  [/^codex turn end for (\S+) used thread (\S+), but the turn belongs to (\S+)$/, ['turn_thread_mismatch']],
  [
    /^(?:inference start|compaction request|compaction install|tool call start|code cell start)(?: (\S+))? used thread (\S+), but codex turn (\S+) belongs to (\S+)$/i,
    ['turn_thread_mismatch'],
  ],
  [
    /^(?:inference start|compaction request|compaction install|tool call start|code cell start|code cell end|code cell initial response)(?: (\S+))? referenced unknown codex turn (\S+)$/i,
    ['turn_unknown'],
  ],
  [/^(?:tool call start|code cell start)(?: (\S+))? referenced unknown thread (\S+)$/, ['thread_unknown']],
  [/^history acceptance has no thread$/, ['context_missing']],
  [
    /did not include a thread id$|did not include a codex turn id$|did not include a Codex turn id$|did not include thread or Codex turn context$/,
    ['context_missing'],
  ],
  [/^accepted agent message does not match receipt (\S+)$/, ['acceptance_mismatch']],
  [/^duplicate inference start for (\S+)$/, ['inference_duplicate']],
  [/^inference completion referenced unknown call (\S+)$/, ['inference_unknown']],
  [/^inference request payload (\S+) (?:had non-array|did not contain) input$/, ['request_input_invalid']],
  [/^inference response payload (\S+) did not contain output_items$/, ['response_items_invalid']],
  [
    /^incremental inference request (\S+) referenced unknown previous_response_id (\S+)$/,
    ['previous_response_unknown'],
  ],
  [
    /^model conversation mismatch while reducing turn \S+ for thread (\S+) at item index \d+: existing item (\S+) does/,
    ['request_mismatch'],
  ],
  [/^model-visible call id (\S*) was reused with different content$/, ['call_id_reused']],
  [/^reasoning encrypted_content was reused with different readable content$/, ['reasoning_reused']],
  [/^unsupported model item type (\S*) in payload (\S+)$/, ['item_type_unknown']],
  [/^unsupported message role (\S*) in payload (\S+)$/, ['item_invalid']],
  [/^(?:message|model|reasoning|compaction|agent_message) item in payload (\S+) /, ['item_invalid']],
  [/^failed to parse agent_message item in payload (\S+)$/, ['item_invalid']],
  [/^duplicate compaction (?:request start|install) for (\S+)$/, ['compaction_duplicate']],
  [/^compaction request completion referenced unknown request (\S+)$/, ['compaction_unknown']],
  [/^compaction request (\S+) completion used compaction (\S+), but start used (\S+)$/, ['compaction_unknown']],
  [/^compaction checkpoint payload (\S+) did not contain array (\S+)$/, ['checkpoint_invalid']],
  [/^duplicate tool call start for (\S+)$/, ['tool_duplicate']],
  [/^duplicate tool call for model-visible call id (\S+)$/, ['tool_duplicate']],
  [/^tool (?:runtime start|runtime end|call end) referenced unknown call (\S+)$/, ['tool_unknown']],
  [/^stdin target referenced unknown (?:call|exec) (\S+)$/, ['tool_unknown']],
  [/^MCP correlation referenced unknown tool call (\S+)$/, ['tool_unknown']],
  [/^duplicate MCP correlation for tool call (\S+)$/, ['mcp_duplicate']],
  [/^parse MCP runtime invocation in (\S+)$/, ['mcp_invocation_invalid']],
  [/^tool runtime start would create a second terminal operation for (\S+)$/, ['terminal_duplicate']],
  [/^parse terminal (?:invocation|runtime start) payload (\S+)/, ['terminal_payload_invalid']],
  [/^parse (?:exec|write_stdin) terminal response (\S+)/, ['terminal_payload_invalid']],
  [/^terminal operation (\S+) changed process id from (\S+) to (\S+)$/, ['terminal_process_changed']],
  [/^terminal session (\S+) belongs to thread (\S+), not (\S+)$/, ['terminal_thread_mismatch']],
  [/^duplicate code cell start for (\S+)$/, ['cell_duplicate']],
  [/^runtime code cell (\S+) in thread (\S+) mapped to both (\S+) and (\S+)$/, ['cell_duplicate']],
  [/^code cell (?:end|initial response) referenced unknown runtime cell (\S+) in thread (\S+)$/, ['cell_unknown']],
  [/^code-mode nested tool referenced unknown runtime cell (\S+) in thread (\S+)$/, ['cell_unknown']],
  [/^wait tool request payload (\S+) /, ['wait_arguments_invalid']],
  [/^pending interaction edge (\S+) was observed with conflicting delivery data$/, ['edge_conflict']],
  [/^interaction edge (\S+) was observed with conflicting endpoints$/, ['edge_conflict']],
  [/^sub-agent activity (\S+) does not match tool call kind /, ['agent_activity_mismatch']],
  [/^agent activity tool call (\S+) missing (?:invocation payload|function arguments)$/, ['agent_payload_invalid']],
  [/^parse agent activity tool call (\S+) arguments$/, ['agent_payload_invalid']],
  [/^agent edge referenced unknown thread (\S+)$/, ['thread_unknown']],
  [
    /^(?:missing field|unknown variant|invalid type|invalid character|invalid length|invalid group|absolute agent path|agent_name|agent path|reasoning_effort|invalid value)/,
    ['agent_payload_invalid'],
  ],
]);

/** @typedef {{ status: 'identical' | 'different' | 'refused', why: string }} Verdict */

/**
 * Compares one bundle with what the reference made of it.
 *
 * @param {typeof import('@rollout-trace/core') & typeof import('@rollout-trace/core/node')} core
 * @param {string} folder
 * @param {string} generation as in the path: `0.169.0`
 * @returns {Verdict}
 */
export function compareBundle(core, folder, generation) {
  const named = /** @type {import('@rollout-trace/core').Generation} */ (
    generation === '0.124.0' ? '0.125' : generation.replace(/\.0$/, '')
  );
  const expected = expectation(folder);
  /** @type {Uint8Array[]} */
  const chunks = [];
  try {
    const { graph, rules } = core.reduceBundle(core.directorySource(folder), { mode: 'strict', generation: named });
    core.printState(graph, { rules }, (bytes) => chunks.push(bytes.slice()));
  } catch (error) {
    if (!(error instanceof core.TraceError)) return { status: 'different', why: `not ours: ${String(error)}` };
    return expected.state === null
      ? sameFailure(error, expected.failure)
      : error.code === 'payload_outside'
        ? { status: 'refused', why: error.message }
        : { status: 'different', why: `fails with ${error.code}: ${error.message}` };
  }
  if (expected.state === null)
    return { status: 'different', why: `reduces, but the reference says: ${expected.failure}` };
  const made = Buffer.concat(chunks);
  if (made.equals(expected.state)) return { status: 'identical', why: '' };
  return { status: 'different', why: firstDifference(made.toString(), expected.state.toString()) };
}

/** @param {string} folder */
function expectation(folder) {
  const state = join(folder, 'expected-state.json');
  if (existsSync(state)) return { state: readFileSync(state), failure: '' };
  const file = ['expected-error.txt', 'oracle-error.txt'].map((name) => join(folder, name)).find(existsSync);
  const lines = file === undefined ? [] : readFileSync(file, 'utf8').split('\n');
  const panic = lines.find((line) => line.includes('panicked'));
  const error = lines.find((line) => line.startsWith('Error: '));
  return { state: null, failure: panic === undefined ? (error ?? '').slice('Error: '.length) : 'panic' };
}

/**
 * @param {import('@rollout-trace/core').TraceError} error
 * @param {string} failure
 * @returns {Verdict}
 */
function sameFailure(error, failure) {
  const different = (/** @type {string} */ why) => /** @type {Verdict} */ ({ status: 'different', why });
  if (failure === 'panic') {
    return error.code === 'summary_cut'
      ? { status: 'identical', why: '' }
      : different(`${error.code} where the reference panics`);
  }
  for (const [pattern, codes] of FAILURES) {
    const found = pattern.exec(failure);
    if (found === null) continue;
    if (!codes.includes(error.code)) return different(`${error.code} (${error.message}) for: ${failure}`);
    const said = `${error.message} ${error.finding.line ?? ''}`;
    const left = found.slice(1).find((word) => word !== undefined && !said.includes(word.replace(/`/g, '')));
    if (left !== undefined && !LOOSE.has(error.code)) return different(`"${left}" is not in: ${error.message}`);
    return { status: 'identical', why: '' };
  }
  return different(`no code is known for: ${failure}`);
}

/** Our message names the objects in its own way here. */
const LOOSE = new Set(['agent_activity_mismatch']);

/** @param {string} made @param {string} expected */
function firstDifference(made, expected) {
  const a = made.split('\n');
  const b = expected.split('\n');
  const at = b.findIndex((line, index) => line !== a[index]);
  return `line ${at + 1}: ${String(a[at]).trim().slice(0, 160)} | expected ${String(b[at]).trim().slice(0, 160)}`;
}

/**
 * Every bundle below a root that has an expectation, with its generation.
 *
 * @param {string} root
 * @param {string | null} generation where the path does not say it
 * @returns {{ folder: string, generation: string }[]}
 */
export function bundlesBelow(root, generation = null) {
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const folder = join(root, entry.name);
      const names = new Set(readdirSync(folder));
      if (['expected-state.json', 'expected-error.txt', 'oracle-error.txt'].some((name) => names.has(name))) {
        return [{ folder, generation: generation ?? basename(root) }];
      }
      return bundlesBelow(folder, generation);
    });
}
