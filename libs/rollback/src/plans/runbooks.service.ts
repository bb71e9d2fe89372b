import { AuditTrail, PreconditionFailed, violates } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { z } from 'zod';
import { Actions } from '../engine/actions.js';
import { auditActor, type Actor } from '../engine/actor.js';
import { World } from '../engine/world.js';
import { DocumentTooNew } from '../rollback.problems.js';
import { SCHEMA_VERSION } from './plan.contract.js';
import { hashOfDocument } from './plan-hash.rules.js';
import { PlanRefused, RunbookNotFound } from './plan.problems.js';
import {
  runbookDoc,
  type RunbookDoc,
  type RunbookDraft,
  type RunbookSummary,
  type RunbookView,
} from './runbook.contract.js';
import type { Transact } from './plans.service.js';

const row = z.object({
  id: z.string(),
  version: z.number(),
  doc: z.unknown(),
  sha256: z.string(),
  createdBy: z.string(),
  drillAt: z.date().nullable(),
  drillOk: z.boolean().nullable(),
  drillMs: z.string().transform(Number).nullable(),
});
type Row = z.infer<typeof row>;

interface Version extends Omit<RunbookSummary, 'domain' | 'budgetS' | 'targetS'> {
  readonly doc: RunbookDoc;
}

const RELEASE = 'release';

/** The runbooks that the manifests bring, and what people have made of them: the newest version of each counts. */
@Injectable()
export class Runbooks {
  constructor(
    private readonly world: World,
    private readonly actions: Actions,
    private readonly trail: AuditTrail,
  ) {}

  async list(): Promise<readonly RunbookSummary[]> {
    const versions = await this.versions();
    const ids = [...new Set(versions.map(({ id }) => id))];
    return ids.flatMap((id) => {
      const newest = newestOf(versions.filter((version) => version.id === id));
      return newest ? [summaryOf(newest)] : [];
    });
  }

  /** The newest version, or the one that is asked for. Throws `RunbookNotFound`. */
  async get(id: string, version?: number): Promise<RunbookView> {
    const versions = await this.versions();
    const own = versions.filter((one) => one.id === id);
    const found = version === undefined ? newestOf(own) : own.find((one) => one.version === version);
    if (!found) throw new RunbookNotFound(id, [...new Set(versions.map((one) => one.id))]);
    return {
      ...summaryOf(found),
      doc: found.doc,
      versions: own.map((one) => one.version),
      rowVersion: newestVersion(own),
    };
  }

  /** Another version of a runbook that there is; nobody has drilled it yet. `seen` is the version it was made from. */
  async write(by: Actor, id: string, seen: number, draft: RunbookDraft, transact: Transact): Promise<RunbookView> {
    const before = await this.get(id);
    if (before.version !== seen) throw new PreconditionFailed(before.version);
    this.checkActions(draft);
    const { domain } = before;
    const doc = runbookDoc.parse({ ...draft, schemaVersion: SCHEMA_VERSION, id, version: seen + 1, domain });
    const sha256 = hashOfDocument(doc);
    try {
      return await transact(async (client) => {
        await insert(client, { doc, sha256, createdBy: by.id });
        await this.trail.append(
          {
            actor: auditActor(by),
            action: 'runbook.write',
            subject: `runbook ${id} version ${doc.version}`,
            environment: this.world.runtime.config.NODE_ENV,
            beforeDigest: before.sha256,
            afterDigest: sha256,
            outcome: 'written',
          },
          client,
        );
        return {
          ...summaryOf({ id, version: doc.version, sha256, createdBy: by.id, drill: null, doc }),
          doc,
          versions: [...before.versions, doc.version],
          rowVersion: doc.version,
        };
      });
    } catch (error) {
      if (violates(error, 'runbook_pkey')) throw new PreconditionFailed(seen + 1);
      throw error;
    }
  }

  /** Keeps how the drill of a version came off. */
  async drilled(id: string, version: number, { ok, ms }: { ok: boolean; ms: number }): Promise<void> {
    const { doc, sha256, createdBy } = await this.get(id, version);
    if (createdBy === RELEASE) await insert(this.world.control, { doc, sha256, createdBy });
    await this.world.control.query(
      `UPDATE control.runbook SET last_drill_at = clock_timestamp(), last_drill_ok = $3, last_drill_ms = $4
       WHERE id = $1 AND version = $2`,
      [id, version, ok, Math.round(ms)],
    );
  }

  private checkActions({ steps }: RunbookDraft): void {
    const known = new Set(this.actions.all.map(({ name }) => name));
    const unknown = steps.filter(({ action }) => !known.has(action));
    if (unknown.length === 0) return;
    throw new PlanRefused(
      unknown.map(({ key, action }) => {
        return { rule: 'unknown-action', severity: 'error', step: key, message: `There is no action ${action}.` };
      }),
    );
  }

  private async versions(): Promise<readonly Version[]> {
    const { rows } = await this.world.control.query(
      `SELECT id, version, doc, sha256, created_by AS "createdBy", last_drill_at AS "drillAt", last_drill_ok AS "drillOk",
              last_drill_ms AS "drillMs" FROM control.runbook`,
    );
    const kept = z.array(row).parse(rows).map(versionOf);
    const brought = this.templates().filter(
      ({ id, version }) => !kept.some((one) => one.id === id && one.version === version),
    );
    return [...brought, ...kept].sort((one, other) => one.id.localeCompare(other.id) || one.version - other.version);
  }

  private templates(): readonly Version[] {
    return this.world.domains.flatMap((domain) =>
      (domain.runbook?.runbooks ?? []).map(({ id, version, steps, ...template }) => {
        const doc = runbookDoc.parse({
          ...template,
          schemaVersion: SCHEMA_VERSION,
          id,
          version,
          domain: domain.name,
          steps: steps.map((step) => ({ ...step })),
        });
        return { id, version, doc, sha256: hashOfDocument(doc), createdBy: RELEASE, drill: null };
      }),
    );
  }
}

async function insert(
  on: pg.Pool | pg.ClientBase,
  { doc, sha256, createdBy }: Pick<Version, 'doc' | 'sha256' | 'createdBy'>,
): Promise<void> {
  const { id, version, domain, budgetS, targetS } = doc;
  await on.query(
    `INSERT INTO control.runbook (id, version, domain, doc, sha256, budget_s, target_s, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ${createdBy === RELEASE ? 'ON CONFLICT DO NOTHING' : ''}`,
    [id, version, domain, JSON.stringify(doc), sha256, budgetS, targetS, createdBy],
  );
}

function newestVersion(versions: readonly Version[]): number {
  return Math.max(...versions.map(({ version }) => version));
}

function newestOf(versions: readonly Version[]): Version | undefined {
  return versions.reduce<Version | undefined>(
    (best, one) => (best && best.version > one.version ? best : one),
    undefined,
  );
}

function versionOf({ id, version, doc, sha256, createdBy, drillAt, drillOk, drillMs }: Row): Version {
  const drill = drillAt && drillOk !== null ? { at: drillAt.toISOString(), ok: drillOk, ms: drillMs } : null;
  return { id, version, doc: readDoc(doc), sha256, createdBy, drill };
}

function readDoc(doc: unknown): RunbookDoc {
  const written = z.object({ schemaVersion: z.number() }).parse(doc).schemaVersion;
  if (written > SCHEMA_VERSION) throw new DocumentTooNew('The runbook', written, SCHEMA_VERSION);
  return runbookDoc.parse(doc);
}

function summaryOf({ id, version, doc, sha256, createdBy, drill }: Version): RunbookSummary {
  const { domain, budgetS, targetS } = doc;
  return { id, version, domain, sha256, budgetS, targetS, createdBy, drill };
}
