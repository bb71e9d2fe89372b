import type { FastifyInstance, FastifyRequest } from 'fastify';
import { InvalidRequest } from '../problem/problem.js';
import { MalformedJson } from './http.problems.js';
import { isText, pointerSegment } from './text.js';

/** Deeper than any contract; shallow enough for every recursive reader. */
const DEEPEST_BODY = 64;

/**
 * Takes bodies as JSON only. Refuses what parses and yet can be neither stored nor walked safely: NUL characters and
 * halves of surrogate pairs (PostgreSQL takes neither), deep nesting, and keys that reach for a prototype.
 */
export function acceptJson(instance: FastifyInstance): void {
  const parse = instance.getDefaultJsonParser('error', 'error');
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    (request: FastifyRequest, text: string, done) => {
      // A state change without arguments is often sent with the header and no body.
      if (text.length === 0) {
        done(null);
        return;
      }
      void parse(request, text, (error, body) => {
        done(error ? new MalformedJson(error.message) : refusal(text, body), body);
      });
    },
  );
}

function refusal(text: string, body: unknown): InvalidRequest | null {
  if (nestsDeeper(body, DEEPEST_BODY)) return invalid('#', `is nested more than ${DEEPEST_BODY} levels deep`);
  // Only an escape can bring such a character into a string.
  if (!text.includes('\\u')) return null;
  const pointer = unstorable(body, '#');
  return pointer === undefined
    ? null
    : invalid(pointer, 'holds a character that is no text (NUL or half a surrogate pair)');
}

function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const child of Object.values(value)) if (nestsDeeper(child, levels - 1)) return true;
  return false;
}

/** Where the first string is, key or value, that PostgreSQL could not take. */
function unstorable(value: unknown, pointer: string): string | undefined {
  if (typeof value === 'string') return isText(value) ? undefined : pointer;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    if (!isText(key)) return pointer;
    const found = unstorable(child, `${pointer}/${pointerSegment(key)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function invalid(pointer: string, detail: string): InvalidRequest {
  return new InvalidRequest([{ pointer, detail }]);
}
