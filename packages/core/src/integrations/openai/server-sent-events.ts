/** Server-sent events out of bytes that come in any pieces. Reads beside the host: what it cannot read it leaves out. */

/** Hears one event: its name, where it has one, and its data. */
export type EventListener = (name: string | null, data: string) => void;

/** An event longer than this is left out; nothing a model sends comes near. */
const MAX_EVENT_CHARACTERS = 64 << 20;

/** Splits a stream into events. */
export class ServerSentEvents {
  readonly #decoder = new TextDecoder();
  readonly #listener: EventListener;
  #rest = '';
  #name: string | null = null;
  #data: string | null = null;

  constructor(listener: EventListener) {
    this.#listener = listener;
  }

  /** Takes in the next bytes. */
  feed(bytes: Uint8Array): void {
    const text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.#line(text.slice(from, text[end - 1] === '\r' && end > from ? end - 1 : end));
      from = end + 1;
    }
    this.#rest = text.slice(from);
    if (this.#rest.length > MAX_EVENT_CHARACTERS) this.#rest = '';
  }

  /** The stream is over. An event that no empty line ended counts, if it is whole. */
  end(): void {
    if (this.#rest !== '') this.#line(this.#rest);
    this.#rest = '';
    this.#line('');
  }

  #line(line: string): void {
    if (line === '') {
      const [name, data] = [this.#name, this.#data];
      this.#name = null;
      this.#data = null;
      if (data !== null) this.#listener(name, data);
    } else if (line.startsWith('data:')) {
      const data = line.slice(line[5] === ' ' ? 6 : 5);
      this.#data = this.#data === null ? data : `${this.#data}\n${data}`;
    } else if (line.startsWith('event:')) this.#name = line.slice(6).trim();
  }
}
