/** Names as they can be typed in a shell: what is suggested is there to be copied. */

import { clean } from './clean.ts';

/** The name as a word of a command. Where it cannot be shown as it is, it is spelled out as bash and zsh read it. */
export function quoted(name: string): string {
  // Otherwise it would be taken for an option.
  if (name.startsWith('-')) return quoted(`./${name}`);
  if (/^[\w@%+=:,./-][\w@%+=:,./~-]*$/.test(name)) return name;
  if (/[\n\t]/.test(name) || clean(name) !== name) return `$'${[...name].map(spelled).join('')}'`;
  return `'${name.replaceAll("'", "'\\''")}'`;
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', "'": "\\'", '\\': '\\\\' };

function spelled(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  if (clean(character) === character) return character;
  return [...new TextEncoder().encode(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}
