import type { Command } from 'commander';
import { planTarget, type PlanTarget } from '../plans/plan.contract.js';
import { previewRestore, type RestorePreview } from '../restores/restore-preview.contract.js';
import { Restores } from '../restores/restores.service.js';
import { backupNamed, markerNamed } from './named.queries.js';
import { makePlan } from './made-plan.js';
import type { Common, Session, Shell, Told } from './shell.js';
import { paragraphs, table } from './text.rules.js';

interface RowFlags extends Common {
  readonly marker?: string;
  readonly backup?: string;
  readonly failed?: string;
  readonly tables?: string;
  readonly classes?: string;
  readonly actor?: string[];
  readonly excludeActor?: string[];
  readonly key?: string[];
  readonly preview?: true;
}

type RestoreTarget = Omit<Extract<PlanTarget, { kind: 'restore' }>, 'kind'>;

/** `belay restore …`, and the same as `belay plan restore …`. */
export function restoreCommand(shell: Shell): Command {
  const restore = shell.group('restore', 'shows what would come back, and plans it');
  addRestores(shell, restore);
  return restore;
}

export function addRestores(shell: Shell, restore: Command): void {
  const way = (name: string, description: string) =>
    shell
      .act(name, description)
      .option('--reason <text>', 'why; at least 10 characters')
      .option('--preview', 'only show the difference');

  restore.addCommand(
    way('rows', 'rows to what they were at a marker, or to what a backup or a failed copy has')
      .argument('<domain>')
      .option('--marker <marker>', 'its id, or its name')
      .option('--backup <backup>', 'its id, or the beginning of it')
      .option('--failed <schema>', 'a schema that a restore put aside')
      .option('--tables <tables>', 'separated by commas, e.g. wms.sku,wms.location')
      .option('--classes <classes>', 'of a backup: missing, changed or both')
      .option('--actor <account...>', 'of a marker: only what these have changed')
      .option('--exclude-actor <account...>', 'of a marker: what these have changed stays')
      .option('--key <name=value...>', 'of a marker: only these records')
      .action((domain: string, flags: RowFlags) =>
        shell.run(flags, async (session) => restoreRows(session, domain, flags)),
      ),
  );
  restore.addCommand(
    way('domain', 'one module as it was in a backup; what is there now is kept aside')
      .argument('<domain>')
      .requiredOption('--backup <backup>', 'its id, or the beginning of it')
      .action((domain: string, flags: RowFlags & { backup: string }) =>
        shell.run(flags, async (session) => {
          const backupId = await backupNamed(session.world.control, flags.backup);
          return planOrShow(session, { path: 'R4', domain, backupId }, flags);
        }),
      ),
  );
  restore.addCommand(
    way('database', 'everything as it was in a backup; what is there now is kept aside')
      .requiredOption('--backup <backup>', 'its id, or the beginning of it')
      .action((flags: RowFlags & { backup: string }) =>
        shell.run(flags, async (session) => {
          const backupId = await backupNamed(session.world.control, flags.backup);
          return planOrShow(session, { path: 'R5', backupId }, flags);
        }),
      ),
  );
  restore.addCommand(
    shell
      .act('parked', 'takes back what was parked, in milliseconds')
      .argument('<domain>')
      .option('--reason <text>', 'why; at least 10 characters')
      .action((domain: string, flags: Common) => shell.run(flags, (session) => planUnpark(session, domain))),
  );
}

export function planUnpark(session: Session, domain: string): Promise<Told> {
  return makePlan(session, { kind: 'restore', path: 'R1', domain }, 'rollback:plan');
}

async function restoreRows(session: Session, domain: string, flags: RowFlags): Promise<Told> {
  const { control } = session.world;
  const tables = listOf(flags.tables);
  if (flags.marker !== undefined) {
    const actors = flags.actor;
    const keys = keysOf(flags.key);
    const only = actors || keys ? { only: { ...(actors && { actors }), ...(keys && { keys }) } } : {};
    const target: RestoreTarget = {
      path: 'R2',
      domain,
      markerId: await markerNamed(control, flags.marker),
      ...(tables && { tables }),
      ...only,
      ...(flags.excludeActor && { excludeActors: flags.excludeActor }),
    };
    return planOrShow(session, target, flags);
  }
  const classes = listOf(flags.classes);
  return planOrShow(
    session,
    {
      path: 'R3',
      domain,
      ...(tables && { tables }),
      ...(flags.backup !== undefined && { backupId: await backupNamed(control, flags.backup) }),
      ...(flags.failed !== undefined && { failedSchema: flags.failed }),
      ...(classes && { classes: classes.filter((one) => one === 'missing' || one === 'changed') }),
    },
    flags,
  );
}

/** Only the difference, or a plan that was made against it: void when something is changed in between. */
async function planOrShow(session: Session, target: RestoreTarget, { preview }: RowFlags): Promise<Told> {
  if (preview === true || target.path === 'R2') {
    const by = await session.actor('rollback:restore', 'rollback:plan');
    const difference = await session.get(Restores).preview(by, previewRestore.parse(askedOf(target)));
    if (preview === true) return { text: differenceText(difference), json: difference };
    if (difference.path === 'R2' && target.only === undefined) {
      session.note(differenceText(difference));
      return makePlan(session, planTarget.parse({ kind: 'restore', ...target, planHash: difference.planHash }));
    }
  }
  return makePlan(session, planTarget.parse({ kind: 'restore', ...target }));
}

/** As the preview takes it: it knows the mode that the plan derives. */
function askedOf({ only, ...target }: RestoreTarget): object {
  return {
    ...target,
    ...(only && { mode: 'selective', only: { actors: only.actors ?? null, keys: only.keys ?? null } }),
  };
}

function differenceText(difference: RestorePreview): string {
  switch (difference.path) {
    case 'R2':
      return paragraphs(
        table(
          ['table', 'since: inserted', 'updated', 'deleted', 'would come back', 'would go', 'conflicts'],
          difference.tables.map((one) =>
            [one.table, one.inserted, one.updated, one.deleted, one.upserts, one.deletes, one.conflicts.length].map(
              String,
            ),
          ),
        ),
        refusalsText(difference.refusals.map((one) => JSON.stringify(one))),
        difference.tables.length === 0 && 'Nothing was changed since the marker.',
      );
    case 'R3':
      return paragraphs(
        keptText(difference.tables),
        refusalsText(difference.refusals.map((one) => JSON.stringify(one))),
      );
    case 'R4':
      return paragraphs(
        keptText(difference.tables),
        difference.dependents.length > 0 && `Made anew at the end: ${difference.dependents.join(', ')}.`,
        refusalsText(difference.refusals),
      );
    case 'R5':
      return paragraphs(
        `The backup is of ${difference.snapshotAt}.`,
        table(
          ['table', 'changes since'],
          difference.tables.map((one) => [one.table, String(one.changes)]),
        ),
        table(
          ['fact', 'announced since'],
          difference.facts.map(({ name, count }) => [name, String(count)]),
        ),
      );
  }
}

function keptText(tables: readonly { table: string; missing: number; changed: number; extra: number }[]): string {
  return table(
    ['table', 'missing', 'changed', 'only there now'],
    tables.map(({ table: name, missing, changed, extra }) => [name, ...[missing, changed, extra].map(String)]),
  );
}

function refusalsText(refusals: readonly string[]): string {
  return refusals.map((refusal) => `✗ ${refusal}`).join('\n');
}

function listOf(text: string | undefined): string[] | undefined {
  const parts = text
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return parts && parts.length > 0 ? parts : undefined;
}

function keysOf(pairs: readonly string[] | undefined): Record<string, string[]> | undefined {
  if (!pairs) return undefined;
  const keys: Record<string, string[]> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    (keys[name] ??= []).push(at < 0 ? '' : pair.slice(at + 1));
  }
  return keys;
}
