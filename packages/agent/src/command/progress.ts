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
  // Whether the text that was written last is in the middle of a line.
  let open = false;
  const endLine = (): void => {
    if (open) text?.('\n');
    open = false;
  };
  return (event) => {
    const who = event.agentPath === '/root' ? '' : `${event.agentPath} `;
    switch (event.type) {
      case 'text':
        if (event.agentPath !== '/root') break;
        text?.(harmless(event.delta));
        open = true;
        break;
      case 'message':
        if (event.agentPath !== '/root') break;
        // A service may give a message without having streamed it.
        if (!open && event.text !== '') {
          text?.(harmless(event.text));
          open = true;
        }
        endLine();
        break;
      case 'turn_ended':
        if (event.agentPath === '/root') endLine();
        break;
      case 'tool_started':
        line(short(`${who}${event.name} ${event.input}`));
        break;
      case 'retry':
        if (event.agentPath === '/root') endLine();
        line(short(`${who}asks again in ${event.wait_ms} ms: ${event.error}`));
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
