import { Inject, Injectable, type Type } from '@nestjs/common';
import { ModulesContainer, Reflector } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { RouteAccess, type Access } from '../auth/access.decorators.js';
import type { Domain } from '../domain/domain.js';
import { RUNTIME, type Runtime } from '../runtime.js';
import { controllersOf, handlersOf, inputsOf, isClass, type Handler, type Input } from './controllers.js';
import { RouteEndpoint, type EndpointFacts } from './endpoint.decorator.js';

/** What is known of a route before any request. */
export interface Route extends Handler {
  readonly access: Access;
  readonly endpoint: EndpointFacts;
  readonly inputs: readonly Input[];
  /** Absent for the platform's own routes. */
  readonly domain?: Domain;
}

/**
 * Every route of the application. It can be had only when each of them says what it is for, what it answers and who may
 * ask, and has a schema for each of its inputs: an application with any other route does not boot.
 */
@Injectable()
export class Routes {
  readonly all: readonly Route[];
  readonly #byCallback: ReadonlyMap<unknown, Route>;
  readonly #byPath: ReadonlyMap<string, Route>;
  readonly #patterns: readonly { readonly route: Handler; readonly pattern: RegExp; readonly away?: Domain }[];

  constructor(
    modules: ModulesContainer,
    private readonly reflector: Reflector,
    @Inject(RUNTIME) { domains }: Pick<Runtime, 'domains'>,
  ) {
    const composed = new Set(
      [...modules.values()].flatMap((module) => [...module.controllers.values()].map(metatypeOf)),
    );
    // A domain that imports another's module does not own its routes.
    const owners = new Map(
      domains.flatMap((domain) => {
        const foreign = domains.map(({ module }) => module).filter((module) => module !== domain.module);
        return controllersOf(domain.module, new Set<unknown>(foreign)).map((one) => [one, domain] as const);
      }),
    );

    const handlers = [...composed].flatMap((controller) => handlersOf(controller));
    const defects = handlers.flatMap((handler) => this.defects(handler));
    if (defects.length > 0) throw new Error(`Some routes are not complete:\n${defects.join('\n')}`);

    this.all = handlers.map((handler) => this.route(handler, owners.get(handler.controller)));
    this.#byCallback = new Map(this.all.map((route) => [route.callback, route]));
    this.#byPath = new Map(this.all.map((route) => [`${route.method} ${route.path}`, route]));

    const away = [...owners].filter(([controller]) => !composed.has(controller));
    this.#patterns = [
      ...this.all.map((route) => ({ route, pattern: patternOf(route.path) })),
      ...away.flatMap(([controller, domain]) =>
        handlersOf(controller).map((route) => ({ route, pattern: patternOf(route.path), away: domain })),
      ),
    ];
  }

  /** The route that Nest has chosen for a request. */
  of(callback: unknown): Route {
    const route = this.#byCallback.get(callback);
    if (!route) throw new Error('The request is answered by a handler that is not a known route');
    return route;
  }

  /** The route that the router has chosen for a request, before any handler runs. */
  at(method: string, path: string | undefined): Route | undefined {
    return this.#byPath.get(`${method === 'HEAD' ? 'GET' : method} ${path ?? ''}`);
  }

  /** The methods by which a path can be asked. */
  methodsAt(path: string): string[] {
    const found = this.#patterns.filter(({ pattern, away }) => away === undefined && pattern.test(path));
    return [...new Set(found.map(({ route }) => route.method))].sort();
  }

  /** The domain that would answer at the path, to the method or to any, if it were not off. */
  awayAt(path: string, method?: string): Domain | undefined {
    const found = this.#patterns.filter(({ pattern, away }) => away !== undefined && pattern.test(path));
    return found.find(({ route }) => method === undefined || route.method === method)?.away;
  }

  private route(handler: Handler, domain: Domain | undefined): Route {
    const access = this.access(handler);
    const endpoint = this.endpoint(handler);
    if (!access || !endpoint) throw new Error(`${nameOf(handler)} is not complete`);
    return { ...handler, access, endpoint, inputs: inputsOf(handler), ...(domain && { domain }) };
  }

  private defects(handler: Handler): string[] {
    const lacks = [
      ...(this.access(handler) ? [] : ['@Requires, @SignedIn or @Public']),
      ...(this.endpoint(handler) ? [] : ['@Endpoint']),
      ...inputsOf(handler).flatMap(({ from, schema }) =>
        schema ? [] : [`a schema for what it takes from the ${from}`],
      ),
    ];
    return lacks.map((lacking) => `${nameOf(handler)} lacks ${lacking}`);
  }

  private access({ callback, controller }: Handler): Access | undefined {
    return this.reflector.getAllAndOverride(RouteAccess, [callback, controller]);
  }

  private endpoint({ callback }: Handler): EndpointFacts | undefined {
    return this.reflector.get(RouteEndpoint, callback);
  }
}

function metatypeOf({ metatype }: InstanceWrapper): Type {
  if (!isClass(metatype)) throw new Error('A controller is a class');
  return metatype;
}

function nameOf({ controller, name }: { controller: Type; name: string }): string {
  return `${controller.name}.${name}`;
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/:[A-Za-z]+/g, '[^/]+')}$`);
}
