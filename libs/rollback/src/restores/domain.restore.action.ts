import type { Preview } from '../engine/action.js';
import { defineAction } from '../engine/actions.js';
import { markedStep } from '../engine/fence.js';
import {
  keptAside,
  keptNames,
  lookAtDomain,
  restoreDomain,
  undoDomainRestore,
  verifyDomainRestore,
} from './domain-swap.service.js';
import { domainRestoreInput } from './restore.contract.js';

/** One domain as it was in a proven backup (R4); its present schema is kept under a failed name. */
export const domainRestore = defineAction({
  name: 'domain.restore',
  version: 1,
  input: domainRestoreInput,
  critical: true,
  destructive: true,
  effect: true,
  timeoutS: 900,
  retries: { attempts: 1, when: () => false },
  emergency: 'E4',
  compensated: true,

  async inspect(context, input) {
    const { dependents, refusals, rows } = await lookAtDomain(context, input);
    return { rows, refusals, dependents: dependents.views.map(({ name }) => name) };
  },

  async preview(context, input): Promise<Preview> {
    const { dependents, refusals, rows } = await lookAtDomain(context, input);
    const { failed } = keptNames(input.domain, context.runId);
    return {
      changes: [
        `ALTER SCHEMA ${input.domain} RENAME TO ${failed}`,
        `the schema ${input.domain} is made anew by its migrations and filled with ${rows} rows of backup ${input.backupId}`,
        `the ledger, inbox marks and idempotency keys of ${input.domain} are replaced by those of the backup`,
        ...dependents.views.map(({ kind, name }) => `DROP ${kind.toUpperCase()} ${name}, and made anew`),
      ],
      estimatedMs: 1_000 + rows / 50,
      // Of views outside the schema, at the very end.
      lock: dependents.views.length > 0 ? 'access-exclusive' : 'none',
      rows,
      reversible: true,
      notes: refusals.map((refusal) => `Refused: ${refusal}`),
    };
  },

  execute: restoreDomain,
  verify: verifyDomainRestore,
  compensate: undoDomainRestore,

  async reconcile(context, { domain }) {
    const result = await markedStep(context.world.application, context.stepKey);
    if (!result) return { effect: 'not-done' };
    // It was committed, and the executor died before it could be written down.
    await keptAside(context, domain, keptNames(domain, context.runId).failed);
    return { effect: 'done', result };
  },
});
