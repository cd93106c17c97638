/** What the model reads of a cell: a head that says how it stands, and its output within a budget of tokens. */

import type { OutputPart, ToolOutcome } from '../tools/tool.ts';
import type { CellResponse } from './cell.ts';

/** About so many characters are a token. */
const CHARS_PER_TOKEN = 4;
/** So many parts stand one by one; of more the texts are put together, for each part costs something even where it is empty. */
const MOST_PARTS = 1_000;

export function cellOutcome(response: CellResponse, wall_time_ms: number, max_tokens: number): ToolOutcome {
  const parts = fitting(response.parts, max_tokens * CHARS_PER_TOKEN);
  if (response.error !== null) parts.push({ type: 'input_text', text: `Script error:\n${response.error}` });
  const head = `${standing(response)}\nWall time: ${(wall_time_ms / 1000).toFixed(1)} seconds\nOutput:\n`;
  return {
    output: parts.length === 0 ? head : [{ type: 'input_text', text: head }, ...parts],
    value: { cell_id: response.cell, status: response.status, error: response.error },
    status: response.status === 'failed' ? 'failed' : 'completed',
  };
}

function standing({ cell, status }: CellResponse): string {
  return status === 'yielded' ? `Script running with cell ID ${cell}` : `Script ${status}`;
}

/** The parts from the beginning and from the end that fit, and a note where the others were. Images always fit. */
function fitting(all: readonly OutputPart[], max_chars: number): OutputPart[] {
  const parts = all.length <= MOST_PARTS ? all : together(all);
  const total = parts.reduce((sum, part) => sum + charsOf(part), 0);
  if (total <= max_chars) return [...parts];
  const head_chars = Math.ceil(max_chars / 2);
  const tail_from = total - Math.floor(max_chars / 2);
  const kept: OutputPart[] = [];
  let at = 0;
  let noted = false;
  for (const part of parts) {
    if (part.type !== 'input_text') {
      kept.push(part);
      continue;
    }
    const { text } = part;
    const head = text.slice(0, Math.max(head_chars - at, 0));
    const tail = text.slice(Math.max(tail_from - at, head.length));
    at += text.length;
    const isCut = head.length + tail.length < text.length;
    const note = isCut && !noted ? `…${total - max_chars} characters left out…` : '';
    noted ||= isCut;
    const left = `${head}${note}${tail}`.toWellFormed();
    if (left !== '' || text === '') kept.push({ type: 'input_text', text: left });
  }
  return kept;
}

/** The parts with texts that follow one another as lines of one. */
function together(parts: readonly OutputPart[]): OutputPart[] {
  const joined: OutputPart[] = [];
  let lines: string[] = [];
  const endText = (): void => {
    if (lines.length > 0) joined.push({ type: 'input_text', text: lines.join('\n') });
    lines = [];
  };
  for (const part of parts) {
    if (part.type === 'input_text') lines.push(part.text);
    else {
      endText();
      joined.push(part);
    }
  }
  endText();
  return joined;
}

function charsOf(part: OutputPart): number {
  return part.type === 'input_text' ? part.text.length : 0;
}
