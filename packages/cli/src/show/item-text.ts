/** What an item of a conversation, or a result that was recorded, says as text. Not here: who says it (`labels.ts`). */

import { type ConversationItem, type ConversationPart, type Json, member } from '@rollout-trace/core/format';
import { counted } from '../text/units.ts';

/** The text of one part of an item. */
export function partText(part: ConversationPart): string {
  switch (part.type) {
    case 'text':
    case 'summary':
      return part.text;
    case 'encoded':
      return `(${part.label}, ${counted(part.value.length, 'character')})`;
    case 'json':
      return part.summary;
    case 'code':
      return part.source;
    case 'payload_ref':
      return `(${part.label}, ${part.raw_payload_id})`;
  }
}

/** The text of an item, one part below the other, without ends of lines at its beginning and end. */
export function itemText({ body }: ConversationItem): string {
  return body.parts.map(partText).join('\n').trim();
}

/** The texts of a result, which is one or has parts with them. */
export function* textsIn(value: Json | undefined): Iterable<string> {
  if (typeof value === 'string') yield value;
  const content = member(value, 'content') ?? value;
  if (!Array.isArray(content)) return;
  for (const part of content) {
    const text = member(part, 'text');
    if (typeof text === 'string') yield text;
  }
}
