import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';

interface Converted {
  readonly schema: Record<string, unknown>;
  readonly components: Record<string, Record<string, unknown>>;
}

/**
 * Turns zod schemas into those of OpenAPI 3.1. A schema with an id becomes a component; two different schemas with one
 * id are refused, so that a name means one thing throughout the document.
 */
export function schemaConverter() {
  const components = new Map<string, Record<string, unknown>>();
  return (schema: unknown, io: 'input' | 'output'): Converted | undefined => {
    if (!(schema instanceof z.ZodType)) return undefined;
    const { $defs: defs = {}, ...root } = z.toJSONSchema(schema, {
      target: 'draft-2020-12',
      io,
      override: ({ jsonSchema, zodSchema }) => {
        tidy(jsonSchema, zodSchema instanceof z.ZodObject && zodSchema.def.catchall === undefined);
      },
    });
    for (const [name, definition] of Object.entries(defs)) {
      const earlier = components.get(name);
      if (earlier && !isDeepStrictEqual(earlier, definition))
        throw new Error(`Two different schemas are named ${name}`);
      components.set(name, definition);
    }
    delete root.$schema;
    return { schema: root, components: defs };
  };
}

function tidy(jsonSchema: z.core.JSONSchema.BaseSchema, isOpen: boolean): void {
  // Answers only ever gain fields, so clients must let unknown ones pass; requests are strict by themselves.
  if (isOpen && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  // The format says it; the patterns behind it fill pages.
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}
