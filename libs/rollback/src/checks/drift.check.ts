import { catalog, catalogDifferences, catalogFingerprint } from '@belay/platform';
import { z } from 'zod';
import type { JsonObject } from '../engine/json.js';
import { passed, refused, type SafetyCheck } from './check.js';

const MOST_LISTED = 20;

/** S06: the schemas are what their migrations made. */
export const driftCheck: SafetyCheck = {
  id: 'S06',
  title: 'The schema is what its migrations made',
  severity: 'normal',
  phases: ['plan', 'start', 'after'],
  applies: ({ steps }) => steps.some(({ destructive }) => destructive),

  async run({ world, plan }) {
    const { rows } = await world.control.query(
      `SELECT domain, sha256, catalog FROM control.schema_fingerprint WHERE domain = ANY ($1)`,
      [plan.domains],
    );
    const recorded = z.array(z.object({ domain: z.string(), sha256: z.string(), catalog })).parse(rows);
    const client = await world.application.connect();
    const drifted: JsonObject[] = [];
    try {
      for (const one of recorded) {
        const now = await catalogFingerprint(client, one.domain);
        if (now.sha256 === one.sha256) continue;
        const differences = catalogDifferences(one.catalog, now.catalog);
        drifted.push({
          domain: one.domain,
          differences: differences.length,
          first: differences.slice(0, MOST_LISTED).map(({ object, change }) => `${object} ${change}`),
        });
      }
    } finally {
      client.release();
    }
    const unknown = plan.domains.filter(
      (name) =>
        !recorded.some(({ domain }) => domain === name) &&
        world.ledgers.some(({ domain, database }) => domain === name && database === 'application'),
    );
    const measured = { drifted, unknown };
    const threshold = { drifted: [], unknown: [] };
    if (drifted.length === 0 && unknown.length === 0) return passed(measured, threshold);
    return refused(
      measured,
      threshold,
      [
        { kind: 'extra-step', text: 'Put the difference into a migration, or take it back' },
        { kind: 'extra-step', text: 'Migrate once, which records what the schema is', command: 'belay migrate up' },
      ],
      {},
      drifted.length > 0 ? 'fail' : 'inconclusive',
    );
  },
};
