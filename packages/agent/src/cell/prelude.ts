/**
 * The part of a cell's world that is itself a script: it makes the globals of cells and is evaluated in QuickJS before
 * the first one.
 *
 * Only the text of {@link prelude} gets there, so it uses nothing from outside of itself. Everything that crosses to the
 * worker is a string, a number or a function: a value is turned into JSON here, where its getters run within the limits
 * of the cell.
 */

/** What the worker offers to the prelude; nothing else of it is reachable from a script. */
export interface PreludeHost {
  text(text: string): void;
  image(url: string): void;
  /** Begins a tool call and gives its id. */
  call(
    tool: string,
    input: string,
    resolve: (json: string | undefined) => void,
    reject: (error: string) => void,
  ): string;
  /** The script looks at the result of a call. */
  observed(call: string): void;
  yieldControl(): void;
  exit(): void;
  store(key: string, json: string | undefined): void;
  load(key: string): string | undefined;
  setTimer(callback: () => void, delay_ms: number): number;
  clearTimer(id: number): void;
}

/** What the worker calls. */
export interface PreludeDoors {
  /** Renews what a cell sees of the tools; takes the JSON text of a list of `CellTool`. */
  begin(tools: string): void;
  /** A thrown value as text: name, message, and the lines of cells it came through. */
  describe(error: unknown): string;
  /** Fails where memory is so short that no cell could run. */
  probe(): void;
}

export function prelude(host: PreludeHost, global: Record<string, unknown>): PreludeDoors {
  // Kept from scripts that replace them.
  const { stringify, parse } = JSON;
  const asString = String;

  /** A promise of a tool's value that tells when somebody looks at it. */
  class Call<T> extends Promise<T> {
    static override get [Symbol.species](): PromiseConstructor {
      return Promise;
    }
    call = '';
    // biome-ignore lint/suspicious/noThenProperty: it is a promise, and awaiting it is what it listens for.
    override then<A = T, B = never>(
      fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
      rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
    ): Promise<A | B> {
      host.observed(this.call);
      return super.then(fulfilled, rejected);
    }
  }

  function shown(value: unknown): string {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    try {
      return stringify(value) ?? asString(value);
    } catch {
      return asString(value);
    }
  }

  function describe(error: unknown): string {
    if (error === null) return 'null, or no memory was left for an error';
    if (!(error instanceof Error)) return shown(error);
    const frames = asString(error.stack ?? '')
      .split('\n')
      .filter((line) => line.includes('cell-') && !line.includes('<eval>'));
    return [shown(error), ...frames.slice(0, 5)].join('\n');
  }

  function imageUrl(image: unknown): string {
    if (typeof image === 'string') return image;
    if (typeof image === 'object' && image !== null) {
      if ('image_url' in image && typeof image.image_url === 'string') return image.image_url;
      if ('data' in image && typeof image.data === 'string' && 'mimeType' in image) {
        return `data:${asString(image.mimeType)};base64,${image.data}`;
      }
    }
    throw new TypeError('image() takes a URL, an object with image_url, or an image of an MCP result.');
  }

  function input(name: string, custom: boolean, argument: unknown): string {
    if (custom) {
      if (typeof argument !== 'string') throw new TypeError(`tools.${name} takes a string.`);
      return argument;
    }
    const object = argument === undefined ? {} : argument;
    const json = typeof object === 'object' && object !== null ? stringify(object) : undefined;
    if (json === undefined || !json.startsWith('{')) throw new TypeError(`tools.${name} takes an object.`);
    return json;
  }

  function callTool(name: string, custom: boolean, argument: unknown): Promise<unknown> {
    const text = input(name, custom, argument);
    // An error comes back later, from nowhere: the line that made the call says more.
    const { stack } = new Error();
    let resolve: (json: string | undefined) => void = () => undefined;
    let reject: (message: string) => void = () => undefined;
    const call = new Call<unknown>((fulfil, fail) => {
      resolve = (json) => fulfil(json === undefined ? undefined : parse(json));
      reject = (message) => fail(Object.assign(new Error(message), { stack }));
    });
    call.call = host.call(name, text, resolve, reject);
    return call;
  }

  Object.assign(global, {
    text: (value: unknown) => host.text(shown(value)),
    image: (image: unknown) => host.image(imageUrl(image)),
    yield_control: () => host.yieldControl(),
    exit: () => host.exit(),
    store: (key: unknown, value: unknown) => host.store(asString(key), stringify(value)),
    load: (key: unknown) => {
      const json = host.load(asString(key));
      return json === undefined ? undefined : parse(json);
    },
    setTimeout: (callback: unknown, delay_ms: unknown) => {
      if (typeof callback !== 'function') throw new TypeError('setTimeout() takes a function.');
      return host.setTimer(() => callback(), Number(delay_ms) || 0);
    },
    clearTimeout: (id: unknown) => host.clearTimer(Number(id)),
  });

  return {
    begin(tools: string): void {
      const list: { name: string; description: string; custom: boolean }[] = parse(tools);
      const byName: Record<string, unknown> = {};
      for (const { name, custom } of list) byName[name] = (argument: unknown) => callTool(name, custom, argument);
      global.tools = Object.freeze(byName);
      global.ALL_TOOLS = Object.freeze(list.map(({ name, description }) => Object.freeze({ name, description })));
    },
    describe,
    probe: () => {
      if ('.'.repeat(1 << 20).length === 0) throw new Error('no memory');
    },
  };
}
