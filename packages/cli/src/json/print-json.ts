/**
 * JSON on stdout: values of the graph (maps, lists of ids, 64-bit integers) and evidence as it was written (numbers keep
 * their spelling). Nothing in it can control a terminal. Not here: `state.json`, whose bytes the format owns.
 */

import { IdList, JsonNumber, JsonObject } from '@rollout-trace/core/format';
import { cleanJson } from '../text/clean.ts';

/** On one line, or with two blanks per level. */
export type JsonStyle = 'compact' | 'pretty';

/** Prints a value. Members that are undefined are left out. */
export function printJson(value: unknown, style: JsonStyle): string {
  return cleanJson(print(value, style === 'pretty' ? '\n' : ''));
}

/** @param newline the end of line and indent at hand; empty where everything stands on one line */
function print(value: unknown, newline: string): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'object':
      return value === null ? 'null' : printObject(value, newline);
    default:
      return String(value);
  }
}

function printObject(value: object, newline: string): string {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value) || value instanceof IdList) {
    return enclose(
      '[',
      ']',
      [...value].map((element) => (inner: string) => print(element, inner)),
      newline,
    );
  }
  const members = membersOf(value).filter(([, member]) => member !== undefined);
  const separator = newline === '' ? ':' : ': ';
  return enclose(
    '{',
    '}',
    members.map(
      ([key, member]) =>
        (inner: string) =>
          `${JSON.stringify(key)}${separator}${print(member, inner)}`,
    ),
    newline,
  );
}

function membersOf(value: object): [string, unknown][] {
  if (value instanceof JsonObject) return value.keys.map((key) => [key, value.get(key)]);
  return value instanceof Map ? [...value] : Object.entries(value);
}

function enclose(open: string, close: string, parts: ((inner: string) => string)[], newline: string): string {
  if (parts.length === 0) return open + close;
  const inner = newline === '' ? '' : `${newline}  `;
  return `${open}${parts.map((part) => `${inner}${part(inner)}`).join(',')}${newline}${close}`;
}
