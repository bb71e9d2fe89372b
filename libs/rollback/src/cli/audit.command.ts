import { createReadStream, createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { AuditTrail, page } from '@belay/platform';
import { AuditExports } from '../audit/exports.service.js';
import { AuditReader } from '../audit/audit-reader.service.js';
import {
  auditFilter,
  exportFormats,
  exportQuery,
  verifyQuery,
  type AuditEntryView,
  type AuditVerification,
  type ToldLoss,
} from '../audit/audit.contract.js';
import { verifyExport } from '../audit/export-verify.js';
import { LocalJournal } from '../emergency/local-journal.js';
import { logAsMarkdown, reportAsHtml, reportAsMarkdown } from '../runs/run-report.rules.js';
import { RunReports } from '../runs/run-report.service.js';
import { exitCodes } from './exit-code.rules.js';
import { runNamed } from './named.queries.js';
import { logText } from './run-text.rules.js';
import type { Common, Session, Shell, Told } from './shell.js';
import { count, paragraphs, table } from './text.rules.js';

interface Range extends Common {
  readonly from?: number;
  readonly to?: number;
}

/** `belay audit verify|export|list`, `belay report`, `belay log`. */
export function auditCommands(shell: Shell): Command[] {
  const audit = shell.group('audit', 'what was done, by whom, and whether all of it is there');
  audit.addCommand(verify(shell));
  audit.addCommand(exported(shell));
  audit.addCommand(list(shell));
  audit.addCommand(report(shell));
  return [audit, report(shell), log(shell)];
}

function verify(shell: Shell): Command {
  return ranged(shell.command('verify', 'walks the chain, and compares it with the anchors outside of the database'))
    .option('--seq <number>', 'one entry, by its Merkle path, without the rest', place)
    .option('--file <file>', 'an export instead of the database')
    .action((flags: Range & { seq?: number; file?: string }) =>
      shell.run(flags, async (session) => {
        if (flags.file !== undefined) return verifyFile(session, flags.file);
        const { seq, from, to } = flags;
        await bringIn(session);
        const found = await session
          .get(AuditReader)
          .verify(verifyQuery.parse({ ...(seq && { seq }), ...(from && { from }), ...(to && { to }) }));
        return { text: verifiedText(found), json: found, ...(!found.ok && { code: exitCodes.error }) };
      }),
    );
}

/** What was kept on this machine while the control database was away. */
async function bringIn(session: Session): Promise<void> {
  const journal = new LocalJournal(session.runtime.config.EMERGENCY_JOURNAL_FILE);
  await journal.merge(session.get(AuditTrail), session.world.control);
}

async function verifyFile(session: Session, file: string): Promise<Told> {
  const found = await verifyExport(createReadStream(file), session.world.signer);
  const { ok, format, entries, problems } = found;
  const text = ok
    ? `✓ ${count(entries, 'entry', 'entries')} (${format ?? ''}), as they were exported.`
    : problems.map((problem) => `✗ ${problem}`).join('\n');
  return { text, json: found, ...(!ok && { code: exitCodes.error }) };
}

function verifiedText({ ok, entries, broken, head, anchors, proof }: AuditVerification): string {
  if (proof)
    return ok
      ? `✓ Entry ${proof.seq} is what was anchored at ${proof.anchor.seq}.`
      : `✗ Entry ${proof.seq} is not what was anchored.`;
  return paragraphs(
    broken
      ? `✗ Entry ${broken.seq} is not what was written: ${broken.reason}.`
      : `✓ ${count(entries, 'entry', 'entries')}, each as it was written${head ? `; the newest is ${head.seq}, ${head.hash.slice(0, 16)}…` : ''}.`,
    anchors?.told.map(lossText).join('\n'),
    anchors?.findings.map(({ seq, problem }) => `✗ anchor ${seq}: ${problem}`).join('\n'),
    anchors?.findings.length === 0 &&
      `✓ ${count(anchors.count, 'anchor')}, up to entry ${anchors.last}; ${anchors.file.anchors} in the file.`,
  );
}

function lossText({ entry, kind, anchorHash, last }: ToldLoss): string {
  const anchor = `${last === null ? 'an anchor' : `entry ${last}`}, ${anchorHash.slice(0, 16)}…`;
  return kind === 'gap'
    ? `! Entries from ${entry} to ${anchor}, were lost by a restore of the control database; entry ${entry} says so.`
    : `! What was anchored up to ${anchor}, was another trail than the one that was restored; entry ${entry} says so.`;
}

function exported(shell: Shell): Command {
  return ranged(shell.act('export', 'takes the trail out, sealed; the export is an entry itself'))
    .addOption(new Option('--format <format>', 'of the file').choices(exportFormats).default('jsonl'))
    .option('--out <file>', 'where to; else a file named by the time')
    .action((flags: Range & { format: string; out?: string }) =>
      shell.run(flags, async (session) => {
        const by = await session.actor('rollback.audit:export');
        const { from, to, format } = flags;
        await bringIn(session);
        const wanted = exportQuery.parse({ format, ...(from && { from }), ...(to && { to }) });
        const { content, fileName } = await session.get(AuditExports).export(by, wanted);
        const file = flags.out ?? fileName;
        await pipeline(content, createWriteStream(file, { mode: 0o600 }));
        return { text: `Written to ${file}.`, json: { file, format } };
      }),
    );
}

function list(shell: Shell): Command {
  return shell
    .command('list', 'the newest entries')
    .option('--run <run>', 'of this run')
    .option('--action <action>', 'what was done, e.g. plan.approve, or all of `plan.`')
    .option('--limit <number>', 'how many', place, 30)
    .action((flags: Common & { run?: string; action?: string; limit: number }) =>
      shell.run(flags, async (session) => {
        const { action, limit } = flags;
        const runId = flags.run === undefined ? undefined : await runNamed(session.world.control, flags.run);
        await bringIn(session);
        const filter = auditFilter.parse({ limit, ...(action !== undefined && { action }), ...(runId && { runId }) });
        const { items } = await session.get(AuditReader).list(filter);
        return { text: entriesText(items), json: { items } };
      }),
    );
}

function entriesText(entries: readonly AuditEntryView[]): string {
  return table(
    ['', 'when', 'who', 'what', 'outcome', 'reason'],
    entries.map(({ seq, at, actor, action, subject, outcome, reason }) => [
      String(seq),
      at.slice(0, 19).replace('T', ' '),
      String(Reflect.get(Object(actor), 'id')),
      `${action} ${subject.length > 40 ? `${subject.slice(0, 39)}…` : subject}`,
      outcome,
      reason ?? '',
    ]),
  );
}

function report(shell: Shell): Command {
  return shell
    .command('report', 'what a run changed, and what it took')
    .argument('<run>', 'its id, the beginning of it, or `last`')
    .addOption(new Option('--format <format>', 'of the report').choices(['markdown', 'html']).default('markdown'))
    .option('--out <file>', 'write it there')
    .action((given: string, flags: Common & { format: string; out?: string }) =>
      shell.run(flags, async (session) => {
        const made = await session.get(RunReports).report(await runNamed(session.world.control, given));
        const text = flags.format === 'html' ? reportAsHtml(made) : reportAsMarkdown(made);
        if (flags.out === undefined) return { text, json: made };
        await writeFile(flags.out, text);
        return { text: `Written to ${flags.out}.`, json: made };
      }),
    );
}

function log(shell: Shell): Command {
  return shell
    .command('log', 'the rollback log: one entry for every run')
    .option('--markdown', 'as a Markdown table')
    .option('--limit <number>', 'how many', place, 30)
    .action((flags: Common & { markdown?: true; limit: number }) =>
      shell.run(flags, async (session) => {
        const { items } = await session.get(RunReports).log(page.parse({ limit: flags.limit }));
        return { text: flags.markdown === true ? logAsMarkdown(items) : logText(items), json: { items } };
      }),
    );
}

function ranged(command: Command): Command {
  return command.option('--from <number>', 'the first entry', place).option('--to <number>', 'the last entry', place);
}

function place(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A number is expected.');
}
