import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Repeated } from '../engine/repeat.js';
import { World } from '../engine/world.js';
import { Anchors } from './anchors.service.js';

const LOOKS_EVERY_MS = 2_000;

/** Anchors the audit trail every thousand entries, and no entry later than five minutes after it was written. */
@Injectable()
export class AnchorUpkeep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #work: Repeated | undefined;

  constructor(
    private readonly world: World,
    private readonly anchors: Anchors,
  ) {}

  onApplicationBootstrap(): void {
    this.#work = new Repeated('anchoring', LOOKS_EVERY_MS, this.world.runtime.log, () => this.anchors.make());
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#work?.stop();
  }
}
