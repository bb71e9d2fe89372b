import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector, type ReflectableDecorator } from '@nestjs/core';
import type { GateContext } from '../flags/flags.js';
import { Routes, type Route } from '../http/routes.js';
import { RUNTIME, type Runtime } from '../runtime.js';
import type { Domain } from './domain.js';
import { RouteAllowedWhenReadOnly, RouteFeature, RouteFinishesOpenWork, RouteKeeper } from './gate.decorators.js';
import { FeatureDraining, FeatureOff, FeatureReadOnly, ModuleOff } from './gate.problems.js';
import type { Gate } from './gate.js';

/** What a route asks of the gate, worked out when the application is composed. */
export interface Passage {
  /** Absent for the platform's own routes, which nothing switches off. */
  readonly domain: Domain | undefined;
  readonly feature: string | undefined;
  readonly keeper: string | undefined;
  readonly writes: boolean;
  readonly finishesOpenWork: boolean;
  readonly allowedWhenReadOnly: boolean;
}

/** The passages of all routes. An application whose routes name a feature that their domain does not have does not boot. */
@Injectable()
export class Passages {
  readonly #gate: Gate;
  readonly #passages: ReadonlyMap<unknown, Passage>;

  constructor(
    routes: Routes,
    private readonly reflector: Reflector,
    @Inject(RUNTIME) { gate }: Runtime,
  ) {
    this.#gate = gate;
    this.#passages = new Map(routes.all.map((route) => [route.callback, this.passage(route)]));
  }

  of(context: ExecutionContext): Passage {
    const passage = this.#passages.get(context.getHandler());
    if (!passage) throw new Error('The request is answered by a handler that is not a known route');
    return passage;
  }

  /** Throws unless the way is open: for this asker, or without one for somebody. */
  check({ domain, feature, keeper, writes, finishesOpenWork }: Passage, asker?: GateContext): void {
    if (!domain) return;
    const own = this.#gate.domainMode(domain.name, asker);
    const flag = feature ?? (own === 'off' ? keeper : undefined);
    const mode = flag === undefined ? own : this.#gate.featureMode(flag, asker);
    if (mode === 'off') {
      throw feature === undefined || own === 'off' ? new ModuleOff(domain.name) : new FeatureOff(feature);
    }
    if (!writes || mode === 'on') return;
    const closed = flag ?? domain.flag ?? domain.name;
    if (mode === 'read_only') throw new FeatureReadOnly(closed);
    if (!finishesOpenWork) throw new FeatureDraining(closed);
  }

  /** Whether the answer depends on who asks. */
  isGradual({ domain, feature, keeper }: Passage): boolean {
    if (!domain) return false;
    const flags = [undefined, feature, keeper];
    return flags.some((flag) => this.#gate.isGradual(domain.name, flag));
  }

  private passage(route: Route): Passage {
    const { method, path, domain } = route;
    const feature = this.said(RouteFeature, route);
    const keeper = this.said(RouteKeeper, route);
    for (const flag of [feature, keeper]) {
      if (flag === undefined || domain?.features.some((one) => one.flag === flag)) continue;
      throw new Error(`${method} ${path} names ${flag}, which is no feature of ${domain?.name ?? 'the platform'}`);
    }
    return {
      domain,
      feature,
      keeper,
      writes: !['GET', 'HEAD', 'OPTIONS'].includes(method),
      finishesOpenWork: this.said(RouteFinishesOpenWork, route) === true,
      allowedWhenReadOnly: this.said(RouteAllowedWhenReadOnly, route) === true,
    };
  }

  private said<Value>(decorator: ReflectableDecorator<Value>, { callback, controller }: Route): Value | undefined {
    return this.reflector.getAllAndOverride(decorator, [callback, controller]);
  }
}
