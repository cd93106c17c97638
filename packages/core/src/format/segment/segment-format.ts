/**
 * The numbers of the segment format. `docs/segment.md` is the specification; this is its table of constants.
 *
 * A segment is a signature and records. A record is its length, a checksum and a body; the first byte of a body says
 * what it is. All integers are unsigned, 32 bits, little-endian.
 */

/** The first bytes of every segment. The odd ones show damage by a transfer that took the file for text. */
export const SIGNATURE: Uint8Array = Uint8Array.of(0x89, 0x52, 0x54, 0x53, 0x0d, 0x0a, 0x1a, 0x0a);

/** The version this code writes, and the only one it reads. */
export const SEGMENT_VERSION = 1;

/** What a segment file's name ends in. */
export const SEGMENT_SUFFIX = '.rollout';

/** Length and checksum. */
export const FRAME_BYTES = 8;

/** The first byte of a record's body. */
export const RECORD = { header: 1, event: 2 } as const;

/** How a payload is told. */
export const PAYLOAD_FORM = { whole: 0, delta: 1 } as const;

/** How a member of a payload object is told. */
export const MEMBER_OP = { same: 0, value: 1, list: 2 } as const;

/** How a stretch of a list is told. */
export const RUN_OP = { copy: 0, items: 1 } as const;

/** Bit of a delta's flags: the next payloads of the lane build on this one. */
export const HEAD_FLAG = 1;
