import { Inject, Injectable } from '@nestjs/common';
import { Outbox, RUNTIME, type Caller, type Runtime } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { PlanChanged } from '../assignment.events.js';
import { logPin } from './plan.queries.js';

export interface PinNews {
  readonly event: 'pin_set' | 'pin_unset';
  readonly tier: 'token' | 'job_node' | 'node' | 'job';
  readonly tokenId: string | null;
  readonly jobTicketId: string | null;
  readonly assignee: { readonly type: string; readonly id: string };
  /** What else is known of it: which pin, where, and why. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Tells of plans that came, went or changed. While the runtime is off nobody is told and nothing is logged. */
@Injectable()
export class PlanNews {
  constructor(
    private readonly outbox: Outbox,
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {}

  get runs(): boolean {
    return this.runtime.gate.domainMode('assignment') !== 'off';
  }

  async changed(tx: EntityManager, body: PlanChanged['body']): Promise<void> {
    if (!this.runs) return;
    const changed: PlanChanged = { name: 'assignment.plan-changed', body };
    await this.outbox.add(tx, changed, 'assignment');
  }

  async pinned(tx: EntityManager, by: Caller, news: PinNews): Promise<void> {
    if (!this.runs) return;
    const { event, tier, tokenId, jobTicketId, assignee, facts } = news;
    await logPin(tx, [
      tokenId,
      jobTicketId,
      assignee.type,
      assignee.id,
      event,
      tier,
      JSON.stringify(facts),
      by.accountId,
    ]);
  }
}
