/** The SHA-256 of Node, for the reducer. Loaded when it is first asked for: most bundles need none, and loading costs. */

/** SHA-256 of bytes as lower-case hex. */
export function nativeSha256(bytes: Uint8Array): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(bytes).digest('hex');
}
