/** What a person at a terminal sees while the agent works: its words on stdout, everything else on stderr. */

import type { AgentEvent, AgentListener } from '../thread/events.ts';

/** Where lines go. */
export interface Output {
  /** The words of the agent; null where stdout is for something else. */
  text: ((text: string) => void) | null;
  line: (line: string) => void;
}

const LONGEST_LINE = 160;

/** Shows what happens. Text of a model may hold anything: control characters never reach the terminal. */
export function progress({ text, line }: Output): AgentListener {
  return (event) => {
    const who = event.agentPath === '/root' ? '' : `${event.agentPath} `;
    switch (event.type) {
      case 'text':
        if (event.agentPath === '/root') text?.(harmless(event.delta));
        break;
      case 'message':
        if (event.agentPath === '/root') text?.('\n');
        break;
      case 'tool_started':
        line(short(`${who}${event.name} ${event.input}`));
        break;
      default:
        if (noteOf(event) !== null) line(short(`${who}${noteOf(event)}`));
    }
  };
}

function noteOf(event: AgentEvent): string | null {
  switch (event.type) {
    case 'tool_ended':
      return event.status === 'completed' ? null : `${event.name} ${event.status}`;
    case 'retry':
      return `asks again in ${event.wait_ms} ms: ${event.error}`;
    case 'compacted':
      return `history compacted from ${event.before} to ${event.after} items`;
    case 'warning':
      return event.message;
    default:
      return null;
  }
}

/** One line, cut where it is long. */
function short(text: string): string {
  const line = harmless(text).replace(/\s+/g, ' ');
  const characters = Array.from(line);
  return characters.length <= LONGEST_LINE ? line : `${characters.slice(0, LONGEST_LINE - 1).join('')}…`;
}

/** Without control characters, except for those that lay out text. */
function harmless(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '');
}
