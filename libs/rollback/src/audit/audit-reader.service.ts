import { AuditTrail, decodeCursor, isoInstant, listFrom, type List } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { World } from '../engine/world.js';
import { Anchors } from './anchors.service.js';
import {
  auditEntryView,
  type AuditEntryView,
  type AuditFilter,
  type AuditVerification,
  type VerifyQuery,
} from './audit.contract.js';

const rows = z.array(auditEntryView);

/** What the trail says, and whether it is what was written. */
@Injectable()
export class AuditReader {
  constructor(
    private readonly world: World,
    private readonly trail: AuditTrail,
    private readonly anchors: Anchors,
  ) {}

  /** Newest first. */
  async list({ limit, cursor, actor, action, outcome, runId, planId }: AuditFilter): Promise<List<AuditEntryView>> {
    const [before] = decodeCursor(cursor, z.tuple([z.number()])) ?? [null];
    const found = await this.world.control.query(
      `SELECT seq::float8 AS seq, ${isoInstant('at')} AS at, actor, action,
              subject, environment, reason, plan_id AS "planId", run_id AS "runId", before_digest AS "beforeDigest",
              after_digest AS "afterDigest", outcome, encode(prev_hash, 'hex') AS "prevHash", encode(hash, 'hex') AS hash
       FROM control.audit_entry
       WHERE ($1::bigint IS NULL OR seq < $1) AND ($2::text IS NULL OR actor->>'id' = $2)
         AND ($3::text IS NULL OR action = $3 OR (right($3, 1) = '.' AND starts_with(action, $3)))
         AND ($4::text IS NULL OR outcome = $4) AND ($5::uuid IS NULL OR run_id = $5)
         AND ($6::text IS NULL OR plan_id = $6)
       ORDER BY seq DESC LIMIT $7`,
      [before, actor ?? null, action ?? null, outcome ?? null, runId ?? null, planId ?? null, limit + 1],
    );
    return listFrom(
      rows.parse(found.rows),
      limit,
      ({ seq }) => [seq],
      (entry) => entry,
    );
  }

  /** All of it with its anchors, a range of it, or one entry by what proves it. */
  async verify({ seq, from, to }: VerifyQuery): Promise<AuditVerification> {
    if (seq !== undefined) {
      const proof = await this.anchors.proofOf(seq);
      return { ok: proof.holds, entries: 1, broken: null, head: null, anchors: null, proof };
    }
    const whole = from === undefined && to === undefined;
    const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
    const { broken = null, entries, head = null } = await this.trail.verify(range);
    const anchors = whole ? await this.anchors.verify() : null;
    const ok = broken === null && (anchors?.findings.length ?? 0) === 0;
    return { ok, entries, broken, head, anchors, proof: null };
  }
}
