/** What a person at a terminal sees while the agent works: its words on stdout, everything else on stderr. */

import type { AgentEvent, AgentListener } from '../thread/events.ts';

/** Where lines go. */
export interface Output {
  /** The words of the agent; null where stdout is for something else. */
  text: ((text: string) => void) | null;
  line: (line: string) => void;
  /** The width lines have to fit into, where there is one. */
  columns?: () => number | undefined;
}

const LONGEST_LINE = 160;
const LONGEST_REASON = 500;

/** Shows what happens. Text of a model may hold anything: control characters never reach the terminal. */
export function progress({ text, line, columns }: Output): AgentListener {
  const short = (told: string): string => oneLine(told, Math.min(columns?.() ?? LONGEST_LINE, LONGEST_LINE));
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

/** Why something failed: what a service says may be of any length, and hold anything. */
export function reason(text: string): string {
  return oneLine(text, LONGEST_REASON);
}

/** JSON of which a terminal obeys nothing. Only texts can hold such characters, and there this is an escape. */
export function harmlessJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /\p{Cc}/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** One line, cut where it is long. */
function oneLine(text: string, longest: number): string {
  const line = harmless(text).replace(/\s+/g, ' ');
  const characters = Array.from(line);
  return characters.length <= longest ? line : `${characters.slice(0, longest - 1).join('')}…`;
}

/** Without control characters, except for those that lay out text, and without those that turn text around. */
function harmless(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, '');
}
