import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { z } from 'zod';
import { InvalidRequest } from '../problem/problem.js';
import { isText, pointerSegment } from './text.js';

type Issue = NonNullable<Awaited<ReturnType<Schema['~standard']['validate']>>['issues']>[number];
type Schema = NonNullable<ArgumentMetadata['schema']>;

const mostErrors = 100;

/** Checks bodies, queries and path parameters against the schema of the route, and says where they are wrong. */
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, { schema, type, data }: ArgumentMetadata): unknown {
    if (!schema) return value;
    if (type !== 'body') refuseUnstorable(value, type, data);
    const result = schema['~standard'].validate(value);
    if (result instanceof Promise) throw new Error('The schema of a request must be synchronous');
    if (!result.issues) return result.value;
    const errors = result.issues.flatMap((issue) =>
      placesOf(issue).map((path) => ({ pointer: pointerTo(path, type, data), detail: issue.message })),
    );
    throw new InvalidRequest(errors.slice(0, mostErrors));
  }
}

/** Of bodies the reader of JSON sees to it. */
function refuseUnstorable(value: unknown, type: ArgumentMetadata['type'], data: string | undefined): void {
  const parts = typeof value === 'object' && value !== null ? Object.entries(value) : [[undefined, value] as const];
  for (const [key, part] of parts) {
    if ([part].flat().every((one) => typeof one !== 'string' || isText(one))) continue;
    const pointer = pointerTo(key === undefined ? [] : [key], type, data);
    throw new InvalidRequest([{ pointer, detail: 'holds a NUL character' }]);
  }
}

const unknownKeys = z.object({ code: z.literal('unrecognized_keys'), keys: z.array(z.string()) });

/** Where the issue is: at its path, or at each key that nobody knows. */
function placesOf(issue: Issue): PropertyKey[][] {
  const path = (issue.path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment));
  const unknown = unknownKeys.safeParse(issue);
  return unknown.success ? unknown.data.keys.map((key) => [...path, key]) : [path];
}

function pointerTo(path: readonly PropertyKey[], type: ArgumentMetadata['type'], data: string | undefined): string {
  const whole = (data === undefined ? path : [data, ...path]).map(pointerSegment);
  if (type === 'query') return `?${whole.join('/')}`;
  if (type === 'param') return `:${whole.join('/')}`;
  return ['#', ...whole].join('/');
}
