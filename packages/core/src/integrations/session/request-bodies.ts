/**
 * Parses the bodies of requests. An agent sends its whole history again with every request: what a body repeats of an
 * earlier one, character for character, is not parsed again but taken from there. Gives what `JSON.parse` gives; lists
 * may share their elements with earlier ones, so nobody may change them.
 */

import { JsonScanner } from '../../format/json-scan.ts';
import { isMembers } from './json.ts';

/** The members that hold the history. */
const LIST_KEYS: readonly string[] = ['input', 'messages'];
/** A shorter body is parsed as it is. */
const LEAST_LENGTH = 16 << 10;
/** How many bodies are held, and how long they may be together. */
const MOST_HELD = 32;
const MOST_LENGTH = 32 << 20;
/** With how many of those that begin alike a body is compared. */
const MOST_COMPARED = 3;
/** What is looked at before a body is compared as a whole. */
const SAMPLE_LENGTH = 64;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Where the history stands in a body. */
interface ListPlace {
  key: string;
  /** Behind the bracket that opens it. */
  start: number;
  /** Where each element ends. */
  ends: readonly number[];
}

/** A body that was parsed. */
interface HeldBody {
  text: string;
  body: unknown;
  /** Undefined until somebody asks. */
  place: ListPlace | null | undefined;
}

/** The bodies that were sent lately, of any conversation. */
export class RequestBodies {
  /** The newest is last. */
  readonly #held: HeldBody[] = [];
  #length = 0;

  /** @throws SyntaxError where the text is not JSON */
  parse(text: string): unknown {
    if (text.length < LEAST_LENGTH) return JSON.parse(text);
    let compared = 0;
    for (let i = this.#held.length - 1; i >= 0 && compared < MOST_COMPARED; i--) {
      const before = this.#held[i];
      if (before === undefined || !isLike(before.text, text)) continue;
      compared++;
      const next = goOn(before, text);
      if (next === null) continue;
      this.#drop(i);
      return this.#hold(next);
    }
    return this.#hold({ text, body: JSON.parse(text), place: undefined });
  }

  /** Lets go of all of them. */
  clear(): void {
    this.#held.length = 0;
    this.#length = 0;
  }

  #hold(next: HeldBody): unknown {
    this.#held.push(next);
    this.#length += next.text.length;
    while (this.#held.length > MOST_HELD || this.#length > MOST_LENGTH) this.#drop(0);
    return next.body;
  }

  #drop(index: number): void {
    for (const { text } of this.#held.splice(index, 1)) this.#length -= text.length;
  }
}

/** The body with what it repeats taken from one it is like; null where that is less than half of it. */
function goOn(before: HeldBody, text: string): HeldBody | null {
  if (before.place === undefined) before.place = listPlace(before.text);
  const { place } = before;
  const list = place === null ? undefined : elementsOf(before.body, place.key);
  if (place === null || list === undefined) return null;
  const count = commonElements(before.text, place.ends, text);
  const end = place.ends[count - 1] ?? 0;
  const next = end < text.length / 2 ? null : nextElement(text, end);
  if (next === null) return null;
  const rest = text.slice(0, place.start) + text.slice(next);
  const body: unknown = JSON.parse(rest);
  const added = listPlace(rest);
  const fresh = elementsOf(body, place.key);
  // A list that stands twice, or elsewhere, is not the one that was compared.
  if (!isMembers(body) || fresh === undefined || added?.key !== place.key || added.start !== place.start) return null;
  const shift = next - place.start;
  const ends = [...place.ends.slice(0, count), ...added.ends.map((at) => at + shift)];
  const whole = { ...body, [place.key]: [...list.slice(0, count), ...fresh] };
  return { text, body: whole, place: { ...place, ends } };
}

/** Whether they have the first half of the text in common: what less would save is not worth the look for it. */
function isLike(before: string, text: string): boolean {
  const half = text.length >> 1;
  if (before.length < half) return false;
  const middle = half - SAMPLE_LENGTH;
  return before.slice(middle, half) === text.slice(middle, half) && before.slice(0, half) === text.slice(0, half);
}

/** How many leading elements stand in two bodies that are like at the same place, with everything before them. */
function commonElements(before: string, ends: readonly number[], text: string): number {
  const half = text.length >> 1;
  const isCommon = (count: number): boolean => {
    const end = ends[count - 1] ?? 0;
    // The first half was compared.
    return end <= half || before.slice(half, end) === text.slice(half, end);
  };
  if (isCommon(ends.length)) return ends.length;
  let least = 0;
  let most = ends.length;
  while (most - least > 1) {
    const middle = (least + most) >> 1;
    if (isCommon(middle)) least = middle;
    else most = middle;
  }
  return least;
}

/** Where the list goes on behind an element that ends here: at the next one, or at its own end. */
function nextElement(text: string, end: number): number | null {
  const last = text.charCodeAt(end - 1);
  // Another element may go on where this one ends: 12 is not 1.
  if (last !== CLOSE_OBJECT && last !== CLOSE_LIST && last !== QUOTE) return null;
  const scanner = new JsonScanner(text);
  scanner.at = end;
  if (scanner.space() === CLOSE_LIST) return scanner.at;
  return scanner.takes(COMMA) && scanner.space() !== CLOSE_LIST ? scanner.at : null;
}

function elementsOf(body: unknown, key: string): readonly unknown[] | undefined {
  const list = isMembers(body) ? body[key] : undefined;
  return Array.isArray(list) ? list : undefined;
}

/** Where the one history of a body stands; null where it has none, or more than one. The text is JSON. */
function listPlace(text: string): ListPlace | null {
  const scanner = new JsonScanner(text, true);
  if (!scanner.takes(OPEN_OBJECT)) return null;
  let found: ListPlace | null = null;
  do {
    scanner.space();
    const start = scanner.at;
    if (!scanner.key()) return null;
    const key: unknown = JSON.parse(text.slice(start, scanner.at - 1));
    if (typeof key !== 'string' || !LIST_KEYS.includes(key)) {
      if (!scanner.value()) return null;
      continue;
    }
    const place: Omit<ListPlace, 'key'> | null = found === null ? elementEnds(scanner) : null;
    if (place === null) return null;
    found = { key, ...place };
  } while (scanner.takes(COMMA));
  return found;
}

/** Passes a list, and says where its elements are. */
function elementEnds(scanner: JsonScanner): Omit<ListPlace, 'key'> | null {
  if (!scanner.takes(OPEN_LIST)) return null;
  const start = scanner.at;
  const ends: number[] = [];
  if (scanner.takes(CLOSE_LIST)) return { start, ends };
  do {
    if (!scanner.value()) return null;
    ends.push(scanner.at);
  } while (scanner.takes(COMMA));
  return scanner.takes(CLOSE_LIST) ? { start, ends } : null;
}
