/**
 * How the end of a command is seen without losing what it printed last.
 *
 * When the leader of a terminal's session exits, Linux hangs the terminal up and drops what has been printed but not
 * yet been read: the end of any longer output. So the leader is not the command but a small shell around it, which
 * prints a mark with the exit code and stops. Whoever reads the mark has read everything before it, and then ends the
 * shell.
 */

const MARK_START = '\u001b]rollout-trace;';
const MARK_END = '\u0007';

// `$0` is the token. The traps let the shell outlive what the terminal sends to everyone in it (Ctrl-C, a hang-up); the
// command itself starts with the default of each signal. Remarks of the shell about how the command died go nowhere.
// Where nobody reads any more, printing fails and the shell ends.
const SCRIPT = `trap : HUP INT QUIT TERM
exec 3>&2 2>/dev/null
(exec "$@" 2>&3 3>&-)
code=$?
trap - HUP
printf '\\033]rollout-trace;%s;%s\\007' "$0" "$code" || exit "$code"
while :; do kill -STOP "$$"; done`;

/** The arguments of `/bin/sh` that run a command and then print the mark. */
export function markedCommand(token: string, command: readonly string[]): string[] {
  return ['-c', SCRIPT, token, ...command];
}

/** Tells the mark from what the command printed. */
export class EndMarkReader {
  readonly #start: string;
  /** What may be the beginning of a mark whose rest has not come yet. */
  #held = '';

  constructor(token: string) {
    this.#start = `${MARK_START}${token};`;
  }

  /** What the command printed; with the exit code once the mark has come, after which nothing counts. */
  read(chunk: string): { text: string; exitCode: number | null } {
    const all = this.#held + chunk;
    const at = all.indexOf(this.#start);
    if (at === -1) {
      const held_length = heldLength(all, this.#start);
      this.#held = all.slice(all.length - held_length);
      return { text: all.slice(0, all.length - held_length), exitCode: null };
    }
    const end = all.indexOf(MARK_END, at);
    this.#held = end === -1 ? all.slice(at) : '';
    const exitCode = end === -1 ? null : Number.parseInt(all.slice(at + this.#start.length, end), 10);
    return { text: all.slice(0, at), exitCode };
  }

  /** What was held back, where no mark will come any more. */
  rest(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }
}

/** How many characters at the end of a text are the beginning of a mark. */
function heldLength(text: string, start: string): number {
  for (let length = Math.min(text.length, start.length - 1); length > 0; length--)
    if (text.endsWith(start.slice(0, length))) return length;
  return 0;
}
