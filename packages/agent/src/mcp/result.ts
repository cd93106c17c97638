/** The result of an MCP tool as what the model reads. */

import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/client';
import { OutputBuffer } from '../exec/output-buffer.ts';
import type { OutputPart } from '../tools/tool.ts';

/** As much text as a command may print at once. What is left out of it stands in the trace, and a script gets it. */
const MOST_TEXT_BYTES = 40_000;
/** A part costs something even where it is empty. */
const PART_BYTES = 20;
/** All images of a result together. They are sent again with every request. */
const MOST_IMAGE_CHARS = 20_000_000;
/** An image costs something as well, however small it is: there may be as many as texts. */
const IMAGE_CHARS = 10_000;

/**
 * Text alone becomes text, and images make parts. A structured result stands for the text beside it, which by the
 * protocol repeats it; images are kept. What a model cannot be given is named in brackets.
 */
export function modelOutput({ content, structuredContent, isError }: CallToolResult): string | OutputPart[] {
  const told = content.map(partOf);
  const parts = shortened(
    structuredContent === undefined || isError === true
      ? told
      : [text(JSON.stringify(structuredContent)), ...told.filter(({ type }) => type === 'input_image')],
  );
  const [only] = parts;
  if (only === undefined) return '';
  return parts.length === 1 && only.type === 'input_text' ? only.text : parts;
}

/** The message of a call that has no result: a server may put as much into it as into one. */
export function modelError(message: string): string {
  const buffer = new OutputBuffer(MOST_TEXT_BYTES);
  buffer.push(message);
  return buffer.excerpt().text;
}

/**
 * The parts within the limits: a text that is too long loses its middle, and texts behind it are left out. An image
 * there is no room for is named.
 */
function shortened(parts: readonly OutputPart[]): OutputPart[] {
  let left_bytes = MOST_TEXT_BYTES;
  let left_chars = MOST_IMAGE_CHARS;
  return parts.flatMap((part) => {
    if (part.type === 'input_image') {
      const size_chars = Math.max(part.image_url.length, IMAGE_CHARS);
      if (size_chars <= left_chars) {
        left_chars -= size_chars;
        return [part];
      }
    }
    if (left_bytes <= 0) return [];
    const told = part.type === 'input_text' ? part.text : `[image of ${part.image_url.length} characters, left out]`;
    const size_bytes = Math.max(Buffer.byteLength(told), PART_BYTES);
    const buffer = new OutputBuffer(left_bytes);
    left_bytes -= size_bytes;
    if (left_bytes >= 0) return [text(told)];
    buffer.push(told);
    return [text(buffer.excerpt().text)];
  });
}

function partOf(block: ContentBlock): OutputPart {
  switch (block.type) {
    case 'text':
      return text(block.text);
    case 'image':
      return { type: 'input_image', image_url: `data:${block.mimeType};base64,${block.data}` };
    case 'audio':
      return text(`[audio of type ${block.mimeType}, ${base64Bytes(block.data)} bytes]`);
    case 'resource_link':
      return text(`[link to ${block.name}: ${block.uri}]`);
    case 'resource': {
      const { resource } = block;
      if ('text' in resource) return text(resource.text);
      const type = resource.mimeType ?? 'application/octet-stream';
      return text(`[resource ${resource.uri} of type ${type}, ${base64Bytes(resource.blob)} bytes]`);
    }
  }
}

function text(value: string): OutputPart {
  return { type: 'input_text', text: value };
}

function base64Bytes(data: string): number {
  return Math.floor((data.replace(/=+$/, '').length * 3) / 4);
}
