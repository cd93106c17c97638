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
  readonly #mark: RegExp;
  /** A mark whose end is missing. No more than a code can stand in it: a command that knows the token may print anything. */
  readonly #open: RegExp;
  /** What may be the beginning of a mark whose rest has not come yet. */
  #held = '';

  constructor(token: string) {
    this.#start = `${MARK_START}${token};`;
    this.#mark = new RegExp(`${this.#start}(\\d{1,3})${MARK_END}`);
    this.#open = new RegExp(`${this.#start}\\d{0,3}$`);
  }

  /** What the command printed; with the exit code once the mark has come, after which nothing counts. */
  read(chunk: string): { text: string; exitCode: number | null } {
    const all = this.#held + chunk;
    const mark = this.#mark.exec(all);
    if (mark !== null) {
      this.#held = '';
      return { text: all.slice(0, mark.index), exitCode: Number(mark[1]) };
    }
    const text_length = this.#open.exec(all)?.index ?? all.length - heldLength(all, this.#start);
    this.#held = all.slice(text_length);
    return { text: all.slice(0, text_length), exitCode: null };
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
