// The documents a bundle consists of, as roots for `schema.mjs`: the generator takes no generic type for a root.

import type { Graph, Manifest, RawEvent } from '../packages/core/src/format/index.ts';

export type ManifestDocument = Manifest;
export type EventDocument = RawEvent;
export type StateDocument = Graph;
