/**
 * When two sightings are one item (spec 6.3), and the key under which a candidate can be looked up among many.
 *
 * Pure. Not here: which items are compared, and in what order (`conversation.ts`).
 */

import type { GenerationRules } from '../format/generation.ts';
import type { ConversationItem, ConversationPart } from '../format/graph.ts';
import type { Candidate } from './normalize.ts';

/** The first encrypted part, by which reasoning items are recognised (spec X3). */
export function encodedPart(parts: readonly ConversationPart[]): { label: string; value: string } | null {
  for (const part of parts) if (part.type === 'encoded') return part;
  return null;
}

function samePart(a: ConversationPart, b: ConversationPart): boolean {
  switch (a.type) {
    case 'text':
    case 'summary':
      return a.type === b.type && a.text === b.text;
    case 'encoded':
      return b.type === 'encoded' && a.label === b.label && a.value === b.value;
    case 'json':
      return b.type === 'json' && a.summary === b.summary;
    case 'code':
      return b.type === 'code' && a.language === b.language && a.source === b.source;
    case 'payload_ref':
      if (b.type !== 'payload_ref' || a.label !== b.label) return false;
      if (a.content_sha256 !== undefined && b.content_sha256 !== undefined)
        return a.content_sha256 === b.content_sha256;
      return a.content_sha256 === b.content_sha256 && a.raw_payload_id === b.raw_payload_id;
  }
}

/** Part lists of equal length and pairwise equal (spec X2). */
export function sameParts(a: readonly ConversationPart[], b: readonly ConversationPart[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!samePart(a[i] as ConversationPart, b[i] as ConversationPart)) return false;
  return true;
}

function sameBody(item: ConversationItem, candidate: Candidate): boolean {
  if (sameParts(item.body.parts, candidate.parts)) return true;
  if (item.kind !== 'reasoning') return false;
  const a = encodedPart(item.body.parts);
  const b = encodedPart(candidate.parts);
  return a !== null && b !== null && a.label === b.label && a.value === b.value;
}

/** Equal but for the ids the Responses API gave (spec X5). */
export function sameContent(item: ConversationItem, candidate: Candidate): boolean {
  return (
    item.role === candidate.role &&
    item.channel === candidate.channel &&
    item.kind === candidate.kind &&
    item.call_id === candidate.call_id &&
    item.agent_message?.author === candidate.agent_message?.author &&
    item.agent_message?.recipient === candidate.agent_message?.recipient &&
    sameBody(item, candidate)
  );
}

/** Spec X1: equal content, and ids that do not contradict each other. */
export function matches(item: ConversationItem, candidate: Candidate): boolean {
  const mine = item.responses_item_id;
  if (mine !== undefined && candidate.id !== undefined && mine !== candidate.id) return false;
  return sameContent(item, candidate);
}

/**
 * A string that every item matching the candidate shares. Items with different keys never match; items with one key
 * may. It is an existing string, so it costs nothing to build.
 */
export function lookupKey(kind: string, parts: readonly ConversationPart[]): string {
  const first = kind === 'reasoning' ? (encodedPart(parts) ?? parts[0]) : parts[0];
  if (first === undefined) return kind;
  if ('value' in first) return first.value;
  switch (first.type) {
    case 'text':
    case 'summary':
      return first.text;
    case 'json':
      return first.summary;
    case 'code':
      return first.source;
    case 'payload_ref':
      return first.content_sha256 ?? first.label;
  }
}

/** Whether a body can be read: it has a text or a summary (rule G17). */
export function isReadable(parts: readonly ConversationPart[]): boolean {
  return parts.some((part) => part.type === 'text' || part.type === 'summary');
}

/** Spec X4: what a reasoning body becomes when it is seen again with other parts. The same array where nothing changes. */
export function mergeReasoning(
  mine: ConversationPart[],
  seen: readonly ConversationPart[],
  rules: GenerationRules,
): ConversationPart[] {
  if (sameParts(mine, seen)) return mine;
  const of = (parts: readonly ConversationPart[], type: ConversationPart['type']) =>
    parts.filter((part) => part.type === type);
  const text = of(mine, 'text');
  const summary = of(mine, 'summary');
  const encodedParts = of(mine, 'encoded');
  if (!rules.reasoningMerges) {
    if (!isReadable(seen) || isReadable(mine)) return mine;
    return [...of(seen, 'text'), ...of(seen, 'summary'), ...encodedParts];
  }
  if (text.length > 0 && summary.length > 0) return mine;
  return [
    ...(text.length > 0 ? text : of(seen, 'text')),
    ...(summary.length > 0 ? summary : of(seen, 'summary')),
    ...encodedParts,
  ];
}
