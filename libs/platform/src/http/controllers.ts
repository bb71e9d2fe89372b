import { RequestMethod, type ArgumentMetadata, type ExecutionContext, type Type } from '@nestjs/common';
import { METHOD_METADATA, MODULE_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { MetadataScanner } from '@nestjs/core';
import { z } from 'zod';

export const API_PREFIX = 'api';

/** Controllers that are served beside `/api`: what looks after a process knows nothing of the API. */
export const UNPREFIXED = ['health', 'metrics'];

/** A method of a controller that answers requests. */
export interface Handler {
  readonly controller: Type;
  readonly name: string;
  readonly callback: ReturnType<ExecutionContext['getHandler']>;
  readonly method: string;
  /** As the router knows it, e.g. `/api/directory/sites/:id`. */
  readonly path: string;
}

/** The controllers of a module and of the modules it imports. */
export function controllersOf(module: unknown, seen = new Set<unknown>()): Type[] {
  if (!isClass(module) || seen.has(module)) return [];
  seen.add(module);
  const imported = metadataList(MODULE_METADATA.IMPORTS, module).flatMap((imports) =>
    controllersOf(dynamicModule.safeParse(imports).data?.module ?? imports, seen),
  );
  return [...metadataList(MODULE_METADATA.CONTROLLERS, module).filter(isClass), ...imported];
}

export function handlersOf(controller: Type): Handler[] {
  const prototype: unknown = controller.prototype;
  if (typeof prototype !== 'object' || prototype === null) return [];
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const callback: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
    if (typeof callback !== 'function') return [];
    const method = z.enum(RequestMethod).safeParse(Reflect.getMetadata(METHOD_METADATA, callback));
    if (!method.success) return [];
    const path = [pathOf(controller), pathOf(callback)].filter((part) => part !== '').join('/');
    const prefix = UNPREFIXED.includes(path.split('/')[0] ?? '') ? '' : `/${API_PREFIX}`;
    return [{ controller, name, callback, method: RequestMethod[method.data], path: `${prefix}/${path}` }];
  });
}

export type InputSource = 'body' | 'query' | 'params' | 'headers';

type Schema = NonNullable<ArgumentMetadata['schema']>;

/** A parameter of a handler that is taken from the request. */
export interface Input {
  readonly from: InputSource;
  /** Absent for the whole body, query or path. */
  readonly name?: string;
  readonly schema?: Schema;
}

const sources: Readonly<Record<string, InputSource>> = {
  [RouteParamtypes.BODY]: 'body',
  [RouteParamtypes.QUERY]: 'query',
  [RouteParamtypes.PARAM]: 'params',
  [RouteParamtypes.HEADERS]: 'headers',
};

const argument = z.object({
  data: z.string().optional(),
  schema: z.custom<Schema>((value) => typeof value === 'object' && value !== null && '~standard' in value).optional(),
});

/** What the handler takes from the request, in the order of its parameters. */
export function inputsOf({ controller, name }: Pick<Handler, 'controller' | 'name'>): Input[] {
  const args: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name);
  return Object.entries(args ?? {}).flatMap(([key, value]) => {
    const from = sources[key.split(':')[0] ?? ''];
    if (from === undefined) return [];
    const { data, schema } = argument.parse(value);
    return [{ from, ...(data !== undefined && { name: data }), ...(schema && { schema }) }];
  });
}

const dynamicModule = z.object({ module: z.unknown() });

function metadataList(key: string, of: object): unknown[] {
  return z.array(z.unknown()).catch([]).parse(Reflect.getMetadata(key, of));
}

function pathOf(target: object): string {
  return z
    .string()
    .parse(Reflect.getMetadata(PATH_METADATA, target))
    .replaceAll(/^\/+|\/+$/g, '');
}

export function isClass(value: unknown): value is Type {
  return typeof value === 'function';
}
