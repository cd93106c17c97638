/**
 * The CRC-32 of the platform, where this version of Node has one (20.15 and 22.2 on). Loaded when it is first asked for:
 * whoever reads bundles only does not pay for it.
 */

type Crc32 = (bytes: Uint8Array) => number;

/** Options for segment readers and writers: empty where they must do with the one written in JavaScript. */
export function nativeCrc32(): { crc32?: Crc32 } {
  // The types of an older line of Node do not know it.
  const { crc32 } = process.getBuiltinModule('node:zlib') as { crc32?: unknown };
  return typeof crc32 === 'function' ? { crc32: crc32 as Crc32 } : {};
}
