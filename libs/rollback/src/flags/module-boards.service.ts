import { isoInstant, RUNTIME, type Domain, type Runtime } from '@belay/platform';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { World } from '../engine/world.js';
import { readActualState } from '../plans/actual-state.queries.js';
import { moduleBoard, parkedObject, type FlagBoard, type ModuleBoard } from './flag.contract.js';
import { FlagBoards } from './flag-boards.service.js';

type Module = ModuleBoard['modules'][number];
type Backup = Module['lastBackup'];

const processRow = z.object({
  id: z.string(),
  role: z.enum(['api', 'worker', 'cli']),
  host: z.string(),
  seq: z.string(),
  booted: z.array(z.string()),
  lastRequest: z.record(z.string(), z.string()),
  activeJobs: z.array(z.unknown()),
});
type Process = z.infer<typeof processRow>;

const backupRow = z.object({
  id: z.string(),
  scope: z.string(),
  domains: z.array(z.string()),
  at: z.string(),
  level: z.number(),
});
const drillRow = z.object({ domain: z.string(), runbook: z.string(), at: z.string(), ok: z.boolean() });
const ofDomain = z.object({ domain: z.string() });

/** Every module at a glance: its flags, where it runs, its schema, what is parked of it, and how it could be brought back. */
@Injectable()
export class ModuleBoards {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    private readonly world: World,
    private readonly flags: FlagBoards,
  ) {}

  async board(): Promise<ModuleBoard> {
    const names = this.world.ledgers.filter(({ database }) => database === 'application').map(({ domain }) => domain);
    const [flags, { domains: schemas }, processes, backups, drills, parked] = await Promise.all([
      this.flags.board(),
      readActualState(this.world, names, []),
      this.processes(),
      this.backups(),
      this.drills(),
      this.parked(),
    ]);
    const modules = this.world.domains.map((domain): Module => {
      const { name, title, after } = domain;
      const { schema = 'absent', ledger = [] } = schemas.find((one) => one.domain === name) ?? {};
      return {
        name,
        title,
        after: [...after],
        mode: this.runtime.gate.domainMode(name),
        ...flagsOf(domain, flags),
        processes: processes.map((process) => seenIn(process, name)),
        schema,
        ledger: {
          applied: ledger.filter(({ state }) => state === 'applied').length,
          parked: ledger.filter(({ state }) => state === 'parked').length,
          newest: ledger.findLast(({ state }) => state === 'applied')?.name ?? null,
        },
        parked: parked.filter((one) => one.domain === name),
        lastBackup: backups.find(({ holds }) => holds(name))?.backup ?? null,
        lastDrill: drills.find((one) => one.domain === name)?.drill ?? null,
      };
    });
    return moduleBoard.parse({ emergency: flags.emergency, writesAllowed: flags.writesAllowed, modules });
  }

  /** Also what restores have put aside. */
  private async parked(): Promise<Module['parked']> {
    const { rows } = await this.world.control.query(
      `SELECT domain, kind, object, rows::text AS rows, bytes::text AS bytes, ${isoInstant('parked_at')} AS since,
              run_id AS "runId", ${isoInstant('purge_after')} AS "purgeAfter"
       FROM control.parked_object WHERE taken_back_at IS NULL AND purged_by IS NULL
       UNION ALL
       SELECT domain, 'failed-' || kind, object, NULL, bytes::text, ${isoInstant('kept_at')}, run_id, ${isoInstant('purge_after')}
       FROM control.failed_copy WHERE taken_back_at IS NULL AND purged_by IS NULL
       ORDER BY since, object`,
    );
    return z.array(parkedObject).parse(rows);
  }

  private async processes(): Promise<readonly Process[]> {
    const { rows } = await this.world.control.query(
      `SELECT id, role, host, applied_seq::text AS seq, booted, last_request AS "lastRequest", active_jobs AS "activeJobs"
       FROM control.process WHERE at > clock_timestamp() - interval '5 seconds' ORDER BY started_at, id`,
    );
    return z.array(processRow).parse(rows);
  }

  private async backups(): Promise<readonly { holds: (name: string) => boolean; backup: Backup }[]> {
    const { rows } = await this.world.control.query(
      `SELECT id, scope, domains, ${isoInstant('snapshot_at')} AS at, level FROM control.backup
       WHERE state NOT IN ('creating', 'broken', 'expired') AND scope <> 'control' AND snapshot_at IS NOT NULL
       ORDER BY snapshot_at DESC`,
    );
    return z
      .array(backupRow)
      .parse(rows)
      .map(({ scope, domains, ...backup }) => ({
        holds: (name) => scope === 'application' || domains.includes(name),
        backup,
      }));
  }

  private async drills(): Promise<readonly { domain: string; drill: Module['lastDrill'] }[]> {
    const { rows } = await this.world.control.query(
      `SELECT domain, id AS runbook, ${isoInstant('last_drill_at')} AS at, last_drill_ok AS ok FROM control.runbook
       WHERE last_drill_at IS NOT NULL AND last_drill_ok IS NOT NULL ORDER BY last_drill_at DESC`,
    );
    return z
      .array(drillRow)
      .parse(rows)
      .map(({ domain, ...drill }) => ({ domain, drill }));
  }
}

function flagsOf({ name, flag }: Domain, { flags }: FlagBoard): Pick<Module, 'flag' | 'features'> {
  return {
    flag: flags.find((one) => one.flag === flag) ?? null,
    features: flags.filter(({ module, feature }) => module === name && feature),
  };
}

function seenIn(
  { id, role, host, seq, booted, lastRequest, activeJobs }: Process,
  name: string,
): Module['processes'][number] {
  return {
    id,
    role,
    host,
    seq,
    booted: booted.includes(name),
    lastRequest: lastRequest[name] ?? null,
    activeJobs: activeJobs.filter((job) => ofDomain.safeParse(job).data?.domain === name).length,
  };
}
