import { EventEmitter } from 'node:events';
import { UnleashEvents, type UnleashConfig } from 'unleash-client';
import type { FlagDefinition, FlagSegment, FlagsDocument } from './flags-document.js';

type Repository = NonNullable<UnleashConfig['repository']>;

/** Where the evaluating client looks flags up: the document in force, wherever it came from. */
export class FlagRepository extends EventEmitter implements Repository {
  #flags: ReadonlyMap<string, FlagDefinition> = new Map();
  #segments: ReadonlyMap<number, FlagSegment> = new Map();

  replace({ features, segments = [] }: FlagsDocument): void {
    this.#flags = new Map(features.map((feature) => [feature.name, feature]));
    this.#segments = new Map(segments.map((segment) => [segment.id, segment]));
  }

  getToggle(name: string): FlagDefinition | undefined {
    return this.#flags.get(name);
  }

  getToggles(): FlagDefinition[] {
    return [...this.#flags.values()];
  }

  getTogglesWithSegmentData(): ReturnType<Repository['getTogglesWithSegmentData']> {
    return this.getToggles().map(({ strategies, ...flag }) => ({
      ...flag,
      ...(strategies && {
        strategies: strategies.map(({ segments, ...strategy }) => ({
          ...strategy,
          ...(segments && { segments: segments.map((id) => this.getSegment(id)) }),
        })),
      }),
    }));
  }

  getSegment(id: number): FlagSegment | undefined {
    return this.#segments.get(id);
  }

  start(): Promise<void> {
    this.emit(UnleashEvents.Ready);
    return Promise.resolve();
  }

  stop(): void {
    this.removeAllListeners();
  }
}
