import { Injectable } from '@nestjs/common';
import type { Command } from '../production.command.js';
import { PolicyRegister, type AssignmentPolicy, type PolicyFlags } from './assignment-policy.contract.js';
import { CoreAssignment } from './core-assignment.service.js';

/** The policy that answers for a graph, with what its flags said. */
export interface PolicyInForce {
  readonly policy: AssignmentPolicy;
  readonly flags: PolicyFlags;
  /** Whether it is the core's own: everything is unassigned, and nothing is logged. */
  readonly isCore: boolean;
}

/** Which policy answers for a graph: the one that a module registered, while its flags are on there, else the core's. */
@Injectable()
export class AssignmentPolicies extends PolicyRegister {
  readonly #inForce = new WeakMap<Command, Map<string, PolicyInForce>>();
  #registered: AssignmentPolicy | undefined;

  constructor(private readonly core: CoreAssignment) {
    super();
  }

  override use(policy: AssignmentPolicy): () => void {
    this.#registered = policy;
    return () => {
      if (this.#registered === policy) this.#registered = undefined;
    };
  }

  /** Who answers for the graph: the same throughout a command, whatever is switched meanwhile. */
  for(command: Command, graphId: string): PolicyInForce {
    let known = this.#inForce.get(command);
    if (!known) this.#inForce.set(command, (known = new Map<string, PolicyInForce>()));
    const before = known.get(graphId);
    if (before) return before;
    const now = this.now(graphId);
    known.set(graphId, now);
    return now;
  }

  /** For reads, which are no command. */
  now(graphId: string): PolicyInForce {
    const flags = this.#registered?.flags(graphId) ?? null;
    if (this.#registered && flags) return { policy: this.#registered, flags, isCore: false };
    return { policy: this.core, flags: {}, isCore: true };
  }
}
