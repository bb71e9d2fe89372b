import { Injectable } from '@nestjs/common';
import type { Command } from '../production.command.js';
import type { AssignmentPolicy, PolicyFlags } from './assignment-policy.contract.js';
import { CoreAssignment } from './core-assignment.service.js';

/** The policy that answers for a graph, with what its flags said. */
export interface PolicyInForce {
  readonly policy: AssignmentPolicy;
  readonly flags: PolicyFlags;
  /** Whether it is the core's own: everything is unassigned, and nothing is logged. */
  readonly isCore: boolean;
}

/** Where a module that knows better than the core's default says so; its own flags still decide graph by graph. */
@Injectable()
export class AssignmentPolicies {
  readonly #inForce = new WeakMap<Command, Map<string, PolicyInForce>>();
  #registered: AssignmentPolicy | undefined;

  constructor(private readonly core: CoreAssignment) {}

  /** Puts the policy in force until the answered function is called. */
  use(policy: AssignmentPolicy): () => void {
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
