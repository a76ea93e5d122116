// The OpenAPI version 2 document as protobuf, which kubectl up to 1.23 and client-go of that age ask for and fall back from
// to nothing. Messages are tables of JSON name → field; what is not in a table and starts with `x-` is an extension.
//
// Two encoded documents one behind the other are one document with the paths and definitions of both, because protobuf
// merges: that is how custom kinds are added to the built-in ones without reading those.
// Source: OpenAPIv2.proto of github.com/google/gnostic, package openapi.v2.

import { Writer } from './protobuf/writer.ts';

/** What is answered. The first name, with `@`, was no media type that Go parses, so it is only ever asked for. */
export const openApiProtobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
export const openApiProtobufTypes = ['application/com.github.proto-openapi.spec.v2@v1.0+protobuf', openApiProtobufType];

type Json = Readonly<Record<string, unknown>>;
/** Writes a value without its tag; numbers, unlike everything else, carry no length. */
interface Form {
  readonly wire: 0 | 1 | 2;
  readonly repeated?: true;
  readonly write: (to: Writer, value: unknown) => void;
}
type Message = Readonly<Record<string, readonly [number: number, form: Form]>>;

const text: Form = { wire: 2, write: (to, value) => to.string(String(value)) };
const flag: Form = { wire: 0, write: (to, value) => to.uint32(value === true ? 1 : 0) };
const integer: Form = { wire: 0, write: (to, value) => to.int64(Number(value)) };
const double: Form = { wire: 1, write: (to, value) => to.double(Number(value)) };
/** Any JSON, as text: it is read as YAML. */
const any = message(
  () => ({ yaml: [2, text] }),
  (value) => ({ yaml: JSON.stringify(value) }),
);

const schema: Form = message(() => schemaFields);
const listOf = (form: Form): Form => ({ ...form, repeated: true });
/** A message of which only `field` is set, which holds the value. */
const inside = (field: number, form: Form): Form =>
  message(
    () => ({ value: [field, form] }),
    (value) => ({ value }),
  );
/** A JSON object as a message of repeated name and value. */
const mapOf = (form: Form): Form =>
  message(
    () => ({ entries: [1, listOf(named(form))] }),
    (value) => ({ entries: Object.entries(value as Json).map(([name, inner]) => ({ name, value: inner })) }),
  );
const choice = (formOf: (value: unknown) => Form): Form => ({
  wire: 2,
  write: (to, value) => formOf(value).write(to, value),
});

const schemaFields: Message = {
  $ref: [1, text],
  format: [2, text],
  title: [3, text],
  description: [4, text],
  default: [5, any],
  multipleOf: [6, double],
  maximum: [7, double],
  exclusiveMaximum: [8, flag],
  minimum: [9, double],
  exclusiveMinimum: [10, flag],
  maxLength: [11, integer],
  minLength: [12, integer],
  pattern: [13, text],
  maxItems: [14, integer],
  minItems: [15, integer],
  uniqueItems: [16, flag],
  maxProperties: [17, integer],
  minProperties: [18, integer],
  required: [19, listOf(text)],
  enum: [20, listOf(any)],
  additionalProperties: [21, choice((value) => (typeof value === 'boolean' ? inside(2, flag) : inside(1, schema)))],
  type: [22, inside(1, text)],
  items: [23, inside(1, schema)],
  allOf: [24, listOf(schema)],
  properties: [25, mapOf(schema)],
  example: [30, any],
  'x-': [31, any],
};

const bodyParameter = message(() => ({
  description: [1, text],
  name: [2, text],
  in: [3, text],
  required: [4, flag],
  schema: [5, schema],
}));
/** `shift`: parameters of a query have one field more before their type. */
const plainParameter = (shift: number): Form =>
  message(() => ({
    required: [1, flag],
    in: [2, text],
    description: [3, text],
    name: [4, text],
    type: [5 + shift, text],
    format: [6 + shift, text],
    uniqueItems: [19 + shift, flag],
  }));
const queryParameter = inside(2, inside(3, plainParameter(1)));
const pathParameter = inside(2, inside(4, plainParameter(0)));
const parameter = choice((value) => {
  const { in: place } = value as { readonly in?: string };
  return inside(1, place === 'body' ? inside(1, bodyParameter) : place === 'path' ? pathParameter : queryParameter);
});

const response = inside(
  1,
  message(() => ({ description: [1, text], schema: [2, inside(1, schema)] })),
);
const operation = message(() => ({
  tags: [1, listOf(text)],
  summary: [2, text],
  description: [3, text],
  operationId: [5, text],
  produces: [6, listOf(text)],
  consumes: [7, listOf(text)],
  parameters: [8, listOf(parameter)],
  responses: [9, mapOf(response)],
  schemes: [10, listOf(text)],
  deprecated: [11, flag],
  'x-': [13, any],
}));
const pathItem = message(() => ({
  get: [2, operation],
  put: [3, operation],
  post: [4, operation],
  delete: [5, operation],
  options: [6, operation],
  head: [7, operation],
  patch: [8, operation],
  parameters: [9, listOf(parameter)],
  'x-': [10, any],
}));
const paths = message(
  () => ({ entries: [2, listOf(named(pathItem))] }),
  (value) => ({ entries: Object.entries(value as Json).map(([name, inner]) => ({ name, value: inner })) }),
);
const document: Message = {
  swagger: [1, text],
  info: [2, message(() => ({ title: [1, text], version: [2, text] }))],
  paths: [8, paths],
  definitions: [9, mapOf(schema)],
};

/** A document, or a part of one (`paths`, `definitions`) to be put behind it. */
export function encodeOpenApi(value: Json): Buffer {
  const to = new Writer(1 << 16);
  writeFields(to, document, value);
  return to.finish();
}

function named(form: Form): Form {
  return message(() => ({ name: [1, text], value: [2, form] }));
}

/** @param fields called late, because schemas hold schemas. */
function message(fields: () => Message, shape?: (value: unknown) => Json): Form {
  let known: Message | undefined;
  return {
    wire: 2,
    write(to, value) {
      known ??= fields();
      const before = to.size;
      writeFields(to, known, shape === undefined ? (value as Json) : shape(value));
      to.uint32(to.size - before);
    },
  };
}

/** Last field first, as the writer goes from the back. */
function writeFields(to: Writer, fields: Message, value: Json): void {
  for (const [name, inner] of Object.entries(value).reverse()) {
    const isExtension = name.startsWith('x-');
    const field = Object.hasOwn(fields, name) ? fields[name] : isExtension ? fields['x-'] : undefined;
    if (field === undefined || inner === undefined) continue;
    const [number, form] = field;
    const write = isExtension ? extension(name) : form;
    for (const one of form.repeated && Array.isArray(inner) ? inner.toReversed() : [inner]) {
      write.write(to, one);
      to.uint32((number << 3) | form.wire);
    }
  }
}

function extension(name: string): Form {
  return { wire: 2, write: (to, value) => namedAny.write(to, { name, value }) };
}

const namedAny = named(any);
