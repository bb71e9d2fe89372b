import type { Type } from '@nestjs/common';
import { MODULE_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { eventEnvelope, tick } from './job-envelope.js';
import { handlerDeclaration, type CronDeclaration, type HandlerDeclaration } from './job.decorators.js';
import type { RunningJob } from './running-job.js';

/** What the worker must know of a domain. */
export interface JobDomain {
  readonly name: string;
  readonly jobs?: Type;
  readonly listens?: readonly string[];
}

export interface JobHandler {
  /** Of its jobs: a job's own name, a cron's or an event's. */
  readonly name: string;
  /** The newest payload it can read. */
  readonly version: number;
  readonly feature: string | undefined;
  readonly cron?: CronDeclaration;
  /** Answers the work; throws when the payload is not what was declared. */
  read(payload: unknown): (job: RunningJob) => Promise<void>;
}

/** Everything that the providers of the domain's jobs module declared, by name. Two of a name are refused. */
export function findHandlers(modules: ModulesContainer, domain: JobDomain): ReadonlyMap<string, JobHandler> {
  const handlers = new Map<string, JobHandler>();
  for (const { metatype, providers } of modules.values()) {
    if (domain.jobs === undefined || metatype !== domain.jobs) continue;
    for (const { instance } of providers.values()) {
      for (const handler of handlersOf(instance)) {
        if (handlers.has(handler.name)) throw new Error(`${domain.name} handles ${handler.name} twice`);
        handlers.set(handler.name, handler);
      }
    }
  }
  agree(domain, handlers);
  return handlers;
}

/** The newest version that this build reads of each kind of job of the domain, whether it is on or not. */
export function readableJobs({ jobs }: JobDomain): ReadonlyMap<string, number> {
  const providers: unknown = jobs && Reflect.getMetadata(MODULE_METADATA.PROVIDERS, jobs);
  const classes: unknown[] = Array.isArray(providers) ? providers : [];
  const none = () => () => Promise.resolve();
  const handlers = classes.flatMap((one) => {
    const prototype: unknown = Reflect.get(Object(one), 'prototype');
    return declarationsOf(prototype).map(([declared]) => handlerOf(declared, none));
  });
  return new Map(handlers.map(({ name, version }) => [name, version]));
}

function handlersOf(instance: unknown): JobHandler[] {
  if (typeof instance !== 'object' || instance === null) return [];
  return declarationsOf(Reflect.getPrototypeOf(instance)).map(([declaration, method]) => {
    const doing = (input: unknown) => async (job: RunningJob) => {
      await Reflect.apply(method, instance, [input, job]);
    };
    return handlerOf(declaration, doing);
  });
}

function handlerOf(
  declaration: HandlerDeclaration,
  doing: (input: unknown) => (job: RunningJob) => Promise<void>,
): JobHandler {
  switch (declaration.kind) {
    case 'job': {
      const { name, version, feature, payload } = declaration.type;
      return { name, version, feature, read: (given) => doing(payload.parse(given)) };
    }
    case 'cron': {
      const { cron } = declaration;
      const read: JobHandler['read'] = (given) => doing(new Date(tick.parse(given).slot));
      return { name: cron.name, version: 1, feature: cron.feature, cron, read };
    }
    case 'event': {
      const { event, body, feature } = declaration;
      const read: JobHandler['read'] = (given) => {
        const { id, name, occurredAt, body: facts } = eventEnvelope.parse(given);
        return doing({ id, name, body: body.parse(facts), occurredAt: new Date(occurredAt) });
      };
      return { name: event, version: 1, feature, read };
    }
  }
}

/** Methods of a class that were declared to handle something. */
function declarationsOf(prototype: unknown): (readonly [HandlerDeclaration, CallableFunction])[] {
  if (typeof prototype !== 'object' || prototype === null) return [];
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const method: unknown = Reflect.get(prototype, name);
    if (typeof method !== 'function') return [];
    const declaration = handlerDeclaration(method);
    return declaration ? [[declaration, method] as const] : [];
  });
}

/** What the manifest says it hears and what is handled must be the same: else facts wait for nobody, or nobody for facts. */
function agree(domain: JobDomain, handlers: ReadonlyMap<string, JobHandler>): void {
  const listens = domain.listens ?? [];
  const unheard = listens.filter((event) => !handlers.has(event));
  const unlisted = [...handlers.keys()].filter((name) => name.includes('.') && !listens.includes(name));
  if (unheard.length > 0) throw new Error(`${domain.name} listens to ${unheard.join(', ')}, which nothing consumes`);
  if (unlisted.length > 0) throw new Error(`${domain.name} consumes ${unlisted.join(', ')} without listening to it`);
}
