/** The result of an MCP tool as what the model reads. */

import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/client';
import type { OutputPart } from '../tools/tool.ts';

/**
 * Text alone becomes text, and images make parts. A structured result stands for the text beside it, which by the
 * protocol repeats it; images are kept. What a model cannot be given is named in brackets.
 */
export function modelOutput({ content, structuredContent, isError }: CallToolResult): string | OutputPart[] {
  const parts = content.map(partOf);
  if (structuredContent !== undefined && isError !== true) {
    const images = parts.filter((part) => part.type === 'input_image');
    const text = JSON.stringify(structuredContent);
    return images.length === 0 ? text : [{ type: 'input_text', text }, ...images];
  }
  if (parts.length === 0) return '';
  const [only] = parts;
  return parts.length === 1 && only?.type === 'input_text' ? only.text : parts;
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
