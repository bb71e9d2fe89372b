import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { InvalidRequest } from '../problem/problem.js';
import type { Input, InputSource } from './controllers.js';
import { Routes } from './routes.js';
import { isText, pointerSegment } from './text.js';

type Issue = NonNullable<Awaited<ReturnType<NonNullable<Input['schema']>['~standard']['validate']>>['issues']>[number];

const mostErrors = 100;

/**
 * Checks bodies, queries and path parameters against the schemas of the route, puts what they make of them in their
 * place, and says where they are wrong. The last guard and not a pipe, because Nest takes every parameter through a chain
 * of promises as soon as there is a global pipe: on an insert that was a quarter of what the whole pipeline costs.
 */
@Injectable()
export class InputGuard implements CanActivate {
  constructor(private readonly routes: Routes) {}

  canActivate(context: ExecutionContext): boolean {
    const [request] = context.getArgs<[FastifyRequest]>();
    for (const input of this.routes.of(context.getHandler()).inputs) take(input, request);
    return true;
  }
}

function take({ from, name, schema }: Input, request: FastifyRequest): void {
  if (!schema) return;
  const source: unknown = request[from];
  if (name === undefined) {
    Object.assign(request, { [from]: checked(source, schema, from) });
    return;
  }
  const fields = typeof source === 'object' && source !== null ? source : {};
  const value: unknown = Reflect.get(fields, name);
  Reflect.set(fields, name, checked(value, schema, from, name));
}

function checked(value: unknown, schema: NonNullable<Input['schema']>, from: InputSource, name?: string): unknown {
  // Of bodies the reader of JSON sees to it.
  if (from !== 'body' && !isStorable(value)) throw unstorable(value, from, name);
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) throw new Error('The schema of a request must be synchronous');
  if (!result.issues) return result.value;
  const errors = result.issues.flatMap((issue) =>
    placesOf(issue).map((path) => ({ pointer: pointerTo(path, from, name), detail: issue.message })),
  );
  throw new InvalidRequest(errors.slice(0, mostErrors));
}

function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return isText(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(isStorable);
}

function unstorable(value: unknown, from: InputSource, name: string | undefined): InvalidRequest {
  const parts = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const paths = parts.filter(([, part]) => !isStorable(part)).map(([key]) => [key]);
  const pointers = (paths.length > 0 ? paths : [[]]).map((path) => pointerTo(path, from, name));
  return new InvalidRequest(pointers.map((pointer) => ({ pointer, detail: 'holds a NUL character' })));
}

const unknownKeys = z.object({ code: z.literal('unrecognized_keys'), keys: z.array(z.string()) });

/** Where the issue is: at its path, or at each key that nobody knows. */
function placesOf(issue: Issue): PropertyKey[][] {
  const path = (issue.path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment));
  const unknown = unknownKeys.safeParse(issue);
  return unknown.success ? unknown.data.keys.map((key) => [...path, key]) : [path];
}

const prefixes: Readonly<Record<InputSource, string>> = { body: '#/', query: '?', params: ':', headers: 'header ' };

function pointerTo(path: readonly PropertyKey[], from: InputSource, name: string | undefined): string {
  const whole = (name === undefined ? path : [name, ...path]).map(pointerSegment).join('/');
  return from === 'body' && whole === '' ? '#' : `${prefixes[from]}${whole}`;
}
