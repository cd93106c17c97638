// @ts-check
/**
 * The JSON Schemas of manifest, event and state, made from the types of the format: one source, so they cannot differ.
 *
 *     node scripts/schema.mjs            writes packages/core/schema/*.schema.json where their bytes change
 *
 * The types describe values in memory. What differs on disk is said here and nowhere else: how a few types are written
 * (`ON_DISK`), that a reader of events takes an absent field for null (`asRead`), and what older generations leave out of
 * a state (`asWritten`).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import {
  AnyType,
  ArrayType,
  createFormatter,
  createParser,
  createProgram,
  DEFAULT_CONFIG,
  NumberType,
  ObjectType,
  SchemaGenerator,
  StringType,
} from 'ts-json-schema-generator';

/**
 * @typedef {{ [key: string]: any }} Schema
 * @typedef {import('ts-json-schema-generator').BaseType} Type
 */

const root = fileURLToPath(new URL('..', import.meta.url));

/** @type {Record<string, { type: string, title: string, adapt: (schema: Schema) => void }>} */
const DOCUMENTS = {
  manifest: { type: 'ManifestDocument', title: 'manifest.json', adapt: asRead },
  event: { type: 'EventDocument', title: 'One line of trace.jsonl', adapt: asRead },
  state: { type: 'StateDocument', title: 'state.json', adapt: asWritten },
};

/**
 * Types whose written form is not their form in memory. `parse` reads a type argument.
 *
 * @type {Record<string, (parse: (argument: number) => Type) => Type>}
 */
const ON_DISK = {
  Int64: () => new NumberType(),
  Json: () => new AnyType(),
  IdList: () => new ArrayType(new StringType()),
  Map: (parse) => new ObjectType(`map of ${parse(1).getId()}`, [], [], parse(1)),
};

/** Reads the types of `ON_DISK` by name, before the parsers of the generator are asked. */
class OnDiskParser {
  /** @param {import('ts-json-schema-generator').NodeParser} others */
  constructor(others) {
    this.others = others;
  }

  // Nodes are told apart by what they have: the generator brings a compiler of its own, whose numbers of kinds differ.
  /** @param {any} node */
  supportsNode(node) {
    const name = node.typeName?.escapedText;
    return name !== undefined && Object.hasOwn(ON_DISK, name);
  }

  /**
   * @param {any} node
   * @param {import('ts-json-schema-generator').Context} context
   */
  createType(node, context) {
    const make = /** @type {(typeof ON_DISK)[string]} */ (ON_DISK[node.typeName.escapedText]);
    return make((argument) => this.others.createType(node.typeArguments[argument], context));
  }
}

/** @returns {Map<string, string>} the text of each schema, by the name of its document */
export function schemaTexts() {
  const config = {
    ...DEFAULT_CONFIG,
    path: `${root}/scripts/schema-types.ts`,
    tsconfig: `${root}/scripts/tsconfig.json`,
    topRef: false,
    sortProps: false,
    encodeRefs: false,
    // The compiler of the repository checks the types.
    skipTypeCheck: true,
  };
  const program = createProgram(config);
  return new Map(
    Object.entries(DOCUMENTS).map(([name, { type, title, adapt }]) => {
      const parser = createParser(program, { ...config, type }, (chain) =>
        chain.addNodeParser(new OnDiskParser(/** @type {any} */ (chain))),
      );
      const made = new SchemaGenerator(program, parser, createFormatter(config), config).createSchema(type);
      const schema = document(name, title, JSON.parse(JSON.stringify(made)));
      adapt(schema);
      return [name, `${JSON.stringify(schema, null, 2)}\n`];
    }),
  );
}

/**
 * The generated schema with the document itself on top.
 *
 * @param {string} name
 * @param {string} title
 * @param {Schema} made
 * @returns {Schema}
 */
function document(name, title, made) {
  const { $schema, $ref, definitions } = made;
  const top = $ref.slice('#/definitions/'.length);
  const { description, ...body } = definitions[top];
  delete definitions[top];
  const schema = {
    $schema,
    $id: `urn:rollout-trace:schema:${name}`,
    title,
    description,
    ...body,
    definitions,
  };
  everyNode(schema, (node) => {
    // No number of the format has a fraction.
    if (node.type === 'number') node.type = 'integer';
    if (Array.isArray(node.type)) {
      node.type = node.type.map((/** @type {string} */ type) => (type === 'number' ? 'integer' : type));
    }
    if (typeof node.description === 'string') node.description = prose(node.description);
    if (Array.isArray(node.required)) {
      node.required = Object.keys(node.properties).filter((key) => node.required.includes(key));
    }
  });
  return schema;
}

/**
 * What a reader accepts: unknown fields anywhere, and an absent field for null. Each event becomes a definition of its
 * own name, with its type in front.
 *
 * @param {Schema} schema
 */
function asRead(schema) {
  everyNode(schema, (node) => {
    if (node.properties === undefined) return;
    delete node.additionalProperties;
    node.required = (node.required ?? []).filter((/** @type {string} */ key) => !isNullable(node.properties[key]));
    const { type, ...others } = node.properties;
    if (type === undefined) return;
    node.properties = { type, ...others };
    node.required = ['type', ...node.required.filter((/** @type {string} */ key) => key !== 'type')];
  });
  const payload = schema.definitions['EventPayload<EventType>'];
  if (payload === undefined) return;
  delete schema.definitions['EventPayload<EventType>'];
  const names = payload.anyOf.map((/** @type {Schema} */ event) => {
    const name = event.properties.type.const;
    schema.definitions[name] = event;
    return name;
  });
  schema.properties.payload = { anyOf: names.map((/** @type {string} */ name) => ({ $ref: `#/definitions/${name}` })) };
}

/**
 * What a reducer writes: every field of the generation and no other. Fields that some generation does not know are
 * optional in the types already, but for those of the graph itself.
 *
 * @param {Schema} schema
 */
function asWritten(schema) {
  schema.properties.schema_version = {
    type: 'integer',
    enum: [1, 2],
    description: '1 up to generation 0.164, 2 from 0.165 on and in the newest shape.',
  };
  schema.properties.recording_complete.description =
    'Absent up to generation 0.166. Null in the newest shape, where the generation has no event that says so.';
  schema.required = schema.required.filter((/** @type {string} */ key) => key !== 'recording_complete');
  schema.description = 'The whole graph of one bundle, in the shape of its generation or in the newest.';
}

/** @param {Schema} schema @returns {boolean} */
function isNullable(schema) {
  if (schema.type === 'null' || (Array.isArray(schema.type) && schema.type.includes('null'))) return true;
  return Array.isArray(schema.anyOf) && schema.anyOf.some(isNullable);
}

/** A docstring without the references of the source. @param {string} text */
function prose(text) {
  return text.replace(/\{@link (\w+)\}/g, '$1').replace(/ \((?:spec|rule)[^)]*\)/g, '');
}

/**
 * @param {any} node
 * @param {(node: Schema) => void} visit
 */
function everyNode(node, visit) {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) visit(node);
  for (const child of Object.values(node)) everyNode(child, visit);
}

/** @param {string} name @returns {URL} where the schema lies */
export function schemaFile(name) {
  return new URL(`../packages/core/schema/${name}.schema.json`, import.meta.url);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(new URL('.', schemaFile('manifest')), { recursive: true });
  for (const [name, text] of schemaTexts()) {
    const file = schemaFile(name);
    const current = existsSync(file) && readFileSync(file, 'utf8') === text;
    if (!current) writeFileSync(file, text);
    console.log(`${name}.schema.json ${current ? 'is current' : 'written'}`);
  }
}
