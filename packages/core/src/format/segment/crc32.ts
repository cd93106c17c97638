/** CRC-32 as in zlib, gzip and PNG: polynomial 0xEDB88320, reflected, initial value and final xor 0xFFFFFFFF. */

function tables(): Uint32Array[] {
  const out = [new Uint32Array(256), new Uint32Array(256), new Uint32Array(256), new Uint32Array(256)];
  const [first] = out as [Uint32Array];
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    first[n] = c;
  }
  for (let t = 1; t < 4; t++) {
    for (let n = 0; n < 256; n++) {
      const before = out[t - 1]?.[n] as number;
      (out[t] as Uint32Array)[n] = (before >>> 8) ^ (first[before & 0xff] as number);
    }
  }
  return out;
}

const [T0, T1, T2, T3] = tables() as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];

/** The checksum of the bytes, an unsigned 32-bit integer. */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  const { length } = bytes;
  const whole = length - (length % 4);
  let i = 0;
  while (i < whole) {
    c ^=
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    c =
      (T3[c & 0xff] as number) ^
      (T2[(c >>> 8) & 0xff] as number) ^
      (T1[(c >>> 16) & 0xff] as number) ^
      (T0[c >>> 24] as number);
    i += 4;
  }
  while (i < length) c = (c >>> 8) ^ (T0[(c ^ (bytes[i++] as number)) & 0xff] as number);
  return (c ^ 0xffffffff) >>> 0;
}
