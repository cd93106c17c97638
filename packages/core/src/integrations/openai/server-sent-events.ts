/** Server-sent events out of bytes that come in any pieces. Reads beside the host: what it cannot read it leaves out. */

/** Hears one event: its name, where it has one, and its data. */
export type EventListener = (name: string | null, data: string) => void;

/** An event longer than this is left out; nothing a model sends comes near. */
const MAX_EVENT_CHARACTERS = 64 << 20;

/** Splits a stream into events. */
export class ServerSentEvents {
  readonly #decoder = new TextDecoder();
  readonly #listener: EventListener;
  /** The line whose end has not come yet, as it came: put together once, for a long one comes in many pieces. */
  #pieces: string[] = [];
  #line_characters = 0;
  /** Lines end with CRLF, LF or CR; whether a CR that ended the last piece was half of a CRLF shows with the next. */
  #endedAtCr = false;
  #name: string | null = null;
  #data: string | null = null;
  /** Whether the event that is read now is left out. */
  #tooLong = false;

  constructor(listener: EventListener) {
    this.#listener = listener;
  }

  /** Takes in the next bytes. */
  feed(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    if (text === '') return;
    // A CRLF whose halves came in two pieces ends one line, not two.
    let from = this.#endedAtCr && text.startsWith('\n') ? 1 : 0;
    this.#endedAtCr = text.endsWith('\r');
    let lf = text.indexOf('\n', from);
    let cr = text.indexOf('\r', from);
    while (lf >= 0 || cr >= 0) {
      const end = cr < 0 || (lf >= 0 && lf < cr) ? lf : cr;
      this.#take(text.slice(from, end));
      this.#endLine();
      from = end === cr && lf === cr + 1 ? end + 2 : end + 1;
      if (lf >= 0 && lf < from) lf = text.indexOf('\n', from);
      if (cr >= 0 && cr < from) cr = text.indexOf('\r', from);
    }
    if (from < text.length) this.#take(text.slice(from));
  }

  /** The stream is over. An event that no empty line ended counts, if it is whole. */
  end(): void {
    if (this.#pieces.length > 0) this.#endLine();
    this.#line('');
  }

  #take(piece: string): void {
    this.#line_characters += piece.length;
    if (this.#line_characters + (this.#data?.length ?? 0) > MAX_EVENT_CHARACTERS) this.#tooLong = true;
    this.#pieces.push(piece);
    if (!this.#tooLong) return;
    // What is left out still ends at an empty line, and to know that one the beginning of each is enough.
    this.#data = null;
    this.#pieces = [this.#pieces.join('').slice(0, 1)];
  }

  #endLine(): void {
    const line = this.#pieces.join('');
    this.#pieces = [];
    this.#line_characters = 0;
    this.#line(line);
  }

  #line(line: string): void {
    if (line === '') {
      const [name, data] = [this.#name, this.#data];
      this.#name = null;
      this.#data = null;
      this.#tooLong = false;
      if (data !== null) this.#listener(name, data);
    } else if (this.#tooLong) return;
    else if (line.startsWith('data:')) {
      const data = line.slice(line[5] === ' ' ? 6 : 5);
      this.#data = this.#data === null ? data : `${this.#data}\n${data}`;
    } else if (line.startsWith('event:')) this.#name = line.slice(6).trim();
  }
}
