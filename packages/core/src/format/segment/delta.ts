/**
 * A payload object told against an earlier one of its thread: what is the same is named, what is new is given.
 *
 * `T` is how values are held: as data while they are recorded, as compact JSON text once they are read. The rules are
 * those of `docs/segment.md`.
 */

/** One stretch of a list: elements of the base's list, or new ones. */
export type Run<T> = { type: 'copy'; start: number; count: number } | { type: 'items'; items: T[] };

/** One member of a payload: that of the base with this index, a value of its own, or a list told in runs. */
export type MemberDelta<T> =
  | { op: 'same'; from: number }
  | { op: 'value'; key: string; value: T }
  | { op: 'list'; key: string; runs: readonly Run<T>[] };

/** A payload object, told against the head of its lane. */
export interface Delta<T> {
  lane: number;
  /** The number of the payload it builds on; null where it tells everything. */
  base: number | null;
  /** Whether later payloads of the lane build on this one. */
  head: boolean;
  members: readonly MemberDelta<T>[];
}
