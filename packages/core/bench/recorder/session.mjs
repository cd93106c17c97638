// A session whose history has a wanted size and grows by a wanted number of bytes per call, with tools that stay.

function words(length, seed) {
  let text = '';
  for (let n = seed >>> 0; text.length < length; ) {
    n = (Math.imul(n, 1103515245) + 12345) >>> 0;
    text += `word${n % 9973} `;
  }
  return text.slice(0, length);
}

let made = 0;

/** The items of one call: what the model said, the call it made, and what the tool answered. */
export function newItems(bytes) {
  const n = ++made;
  return [
    {
      type: 'message',
      id: `msg_${n}`,
      role: 'assistant',
      content: [{ type: 'output_text', text: words(bytes * 0.2, n), annotations: [] }],
      phase: 'commentary',
    },
    {
      type: 'function_call',
      id: `fc_${n}`,
      name: 'exec_command',
      arguments: JSON.stringify({ cmd: words(bytes * 0.1, n) }),
      call_id: `call_${n}`,
    },
    { type: 'function_call_output', id: `fco_${n}`, call_id: `call_${n}`, output: words(bytes * 0.62, n) },
  ];
}

/** A history of about so many bytes. */
export function history(bytes, perCall) {
  const items = [];
  for (let size = 0; size < bytes; ) {
    const added = newItems(perCall);
    size += JSON.stringify(added).length;
    items.push(...added);
  }
  return items;
}

const TOOLS = Array.from({ length: 40 }, (_, i) => ({
  type: 'function',
  name: `tool_${i}`,
  description: words(400, i),
  strict: false,
  parameters: {
    type: 'object',
    properties: Object.fromEntries(
      Array.from({ length: 6 }, (_, j) => [`p${j}`, { type: 'string', description: words(80, j) }]),
    ),
    required: ['p0', 'p1'],
    additionalProperties: false,
  },
}));

/** The body of one request, built anew as hosts do. */
export function request(items, turnId) {
  return {
    model: 'model-1',
    stream: true,
    input: [...items],
    tools: TOOLS,
    tool_choice: 'auto',
    parallel_tool_calls: true,
    store: false,
    include: ['reasoning.encrypted_content'],
    client_metadata: { turn_id: turnId },
  };
}

/** p50, p99 and the greatest of a list of milliseconds. */
export function percentiles(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(3);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
