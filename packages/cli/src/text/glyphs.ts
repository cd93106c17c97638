/**
 * The characters beyond ASCII that the output uses. They are made from numbers so that the built program is plain ASCII:
 * V8 then keeps its source in one byte per character, and a start is a millisecond shorter.
 */

export const ELLIPSIS: string = String.fromCodePoint(0x2026);
export const ARROW: string = String.fromCodePoint(0x2192);
/** Stands for the end of a line in a text shown on one line. */
export const RETURN: string = String.fromCodePoint(0x23ce);
/** Joins a child to its parent in a tree: the last of several, one before it, and what passes by. */
export const LAST_CHILD: string = `${String.fromCodePoint(0x2514, 0x2500)} `;
export const CHILD: string = `${String.fromCodePoint(0x251c, 0x2500)} `;
export const PASSING: string = `${String.fromCodePoint(0x2502)}  `;
