/**
 * Where in a file the hunks of a patch belong.
 *
 * A place is taken where the lines are the same, else where they are the same but for spaces at the end, else but for
 * spaces at both ends; and only where there is no second one, for a patch in the wrong place does more harm than none.
 */

import { ToolError } from '../tools/tool.ts';
import type { Hunk } from './parse-patch.ts';

/** A hunk with its place: the lines from `start` on, `count` of them, are those that it says stay or go. */
export interface PlacedHunk {
  hunk: Hunk;
  start: number;
  count: number;
}

/** Each hunk is looked for in all of its file. Whoever has more to look for than this waits for seconds. */
const MOST_LINES_READ = 100_000_000;

/** Ways to read a line, from the strictest on. */
const READINGS: readonly ((line: string) => string)[] = [
  (line) => line,
  (line) => line.trimEnd(),
  (line) => line.trim(),
];

/**
 * @param path how the file is called in what is thrown
 * @throws {ToolError} where a hunk has no place, or more than one
 */
export function placeHunks(path: string, lines: readonly string[], hunks: readonly Hunk[]): PlacedHunk[] {
  if (hunks.length * lines.length > MOST_LINES_READ)
    throw new ToolError(`${path}: ${hunks.length} hunks are too many for a file of ${lines.length} lines`);
  const placed: PlacedHunk[] = [];
  let from = 0;
  for (const hunk of hunks) {
    const wanted = hunk.lines.filter(({ kind }) => kind !== '+').map(({ text }) => text);
    const start = new Search(path, lines, hunk, wanted).start(from);
    placed.push({ hunk, start, count: wanted.length });
    from = start + wanted.length;
  }
  return placed;
}

class Search {
  readonly #path: string;
  readonly #lines: readonly string[];
  readonly #hunk: Hunk;
  readonly #wanted: readonly string[];

  constructor(path: string, lines: readonly string[], hunk: Hunk, wanted: readonly string[]) {
    this.#path = path;
    this.#lines = lines;
    this.#hunk = hunk;
    this.#wanted = wanted;
  }

  /** The first line of the place, at or behind a line. */
  start(from: number): number {
    const anchor = this.#anchor(from);
    if (this.#wanted.length === 0)
      return anchor === null || this.#hunk.atEnd ? this.#lines.length : Math.max(from, anchor + 1);
    // The lines may begin with the anchor itself: models repeat it.
    const places = this.#places(this.#wanted, anchor ?? from);
    const last = this.#lines.length - this.#wanted.length;
    const candidates = this.#hunk.atEnd ? places.filter((place) => place === last) : places;
    const [first] = candidates;
    if (first === undefined) return this.#fail(this.#whyMissing(anchor ?? from, places));
    // Behind an anchor the nearest place is meant.
    if (anchor === null && candidates.length > 1)
      return this.#fail(
        `the lines of the hunk stand at more than one place (lines ${numbers(candidates)} of the file): ` +
          'add lines around them, or "@@" and a line above them',
      );
    return first;
  }

  /** The last line named behind `@@`, if any is. */
  #anchor(from: number): number | null {
    let anchor: number | null = null;
    for (const text of this.#hunk.anchors) {
      const places = this.#places([text], anchor === null ? from : anchor + 1);
      const [first] = places;
      if (first === undefined) return this.#fail(`no line of the file behind the hunk before is ${quote(text)}`);
      if (anchor === null && places.length > 1)
        return this.#fail(`more than one line of the file is ${quote(text)} (lines ${numbers(places)})`);
      anchor = first;
    }
    return anchor;
  }

  /** All places from a line on, by the strictest reading that finds any. */
  #places(wanted: readonly string[], from: number): number[] {
    for (const reading of READINGS) {
      const places: number[] = [];
      for (const [index, length] of matches(wanted.map(reading), this.#lines.slice(from).map(reading)).entries())
        if (length === wanted.length) places.push(from + index);
      if (places.length > 0) return places;
    }
    return [];
  }

  #whyMissing(from: number, notAtEnd: readonly number[]): string {
    if (notAtEnd.length > 0)
      return `the lines of the hunk are not the last of the file, but stand at line ${numbers(notAtEnd)}`;
    const before = this.#places(this.#wanted, 0);
    if (before.length > 0)
      return `the lines of the hunk stand at line ${numbers(before)} of the file, before those of the hunk before: hunks go from top to bottom`;
    const nearest = this.#nearest(from);
    if (nearest === null) return `${quote(this.#wanted[0] ?? '')} and what follows it was not found in the file`;
    const found = this.#lines[nearest.line];
    return (
      `line ${nearest.line + 1} of the file ${found === undefined ? 'does not exist' : `is ${quote(found)}`}, ` +
      `where the hunk has ${quote(this.#wanted[nearest.matching] ?? '')}`
    );
  }

  /** Where the most lines agree from the beginning on, and the line where that ends. Null where not even the first does. */
  #nearest(from: number): { line: number; matching: number } | null {
    let best = { line: 0, matching: 0 };
    const trim = (line: string): string => line.trim();
    for (const [index, matching] of matches(this.#wanted.map(trim), this.#lines.slice(from).map(trim)).entries())
      if (matching > best.matching) best = { line: from + index + matching, matching };
    return best.matching === 0 ? null : best;
  }

  #fail(message: string): never {
    throw new ToolError(`${this.#path}: hunk at line ${this.#hunk.line} of the patch: ${message}`);
  }
}

/**
 * For each line, how many of the wanted ones stand from there on. This is the Z algorithm, which compares each line about
 * once: where the same line comes again and again, to begin anew at each would take for ever.
 */
function matches(wanted: readonly string[], lines: readonly string[]): Uint32Array {
  // Null is no line: no match goes beyond it.
  const all: readonly (string | null)[] = [...wanted, null, ...lines];
  const lengths = new Uint32Array(all.length);
  // The match that reaches furthest: what stands within it is known from its beginning.
  let furthest = { from: 0, to: 0 };
  for (let at = 1; at < all.length; at++) {
    let length = at < furthest.to ? Math.min(furthest.to - at, lengths[at - furthest.from] ?? 0) : 0;
    while (at + length < all.length && all[length] === all[at + length]) length++;
    lengths[at] = length;
    if (at + length > furthest.to) furthest = { from: at, to: at + length };
  }
  return lengths.subarray(wanted.length + 1);
}

function numbers(places: readonly number[]): string {
  const shown = places.slice(0, 5).map((place) => place + 1);
  return shown.join(', ') + (places.length > shown.length ? ', …' : '');
}

function quote(line: string): string {
  return JSON.stringify(line.slice(0, 120));
}
