import type { DryRunView, PlanView } from '../plans/plan.contract.js';
import { count, duration, paragraphs, short, size, table, waysOf } from './text.rules.js';

/** A plan as people decide on it. */
export function planText(plan: PlanView): string {
  const { doc, id, state, checks } = plan;
  return paragraphs(
    `Plan ${short(id)} (${id})\n${doc.reason}`,
    table(
      ['component', 'now', 'then'],
      doc.changes.map(({ component, from, to }) => [component, from, to]),
    ),
    table(
      ['', 'step', 'takes back'],
      doc.steps.map(({ key, destructive, undo }, place) => [`${place}`, destructive ? `${key} !` : key, undo]),
    ),
    [
      `Risk ${doc.risk}, data loss ${doc.dataLossRisk}; about ${duration(doc.estimateS)}, budget ${duration(doc.budgetS)}.`,
      doc.impact.unavailable.length > 0 && `Not to be used meanwhile: ${doc.impact.unavailable.join(', ')}.`,
      doc.impact.rows > 0 && `${count(doc.impact.rows, 'row')} (${size(doc.impact.bytes)}) are concerned.`,
      doc.backup && `Backup of ${doc.backup.scope.join(', ')} to level ${doc.backup.level} before.`,
      ...doc.impact.notes.map((note) => `${note}.`),
    ]
      .filter((line) => typeof line === 'string')
      .join('\n'),
    doc.warnings.map((warning) => `! ${warning}`).join('\n'),
    checksText(checks),
    nextOf(id, state, plan),
  );
}

/** What did not pass, with what was measured and the ways on. */
function checksText(checks: PlanView['checks']): string {
  const against = checks.filter(({ outcome }) => outcome !== 'pass');
  const passed = checks.length - against.length;
  return [
    `${passed} of ${count(checks.length, 'check')} passed.`,
    ...against.flatMap(({ id, title, outcome, severity, measured, threshold, recovery }) => [
      `${severity === 'critical' ? '✗' : '!'} ${id} ${title}: ${outcome}, ${JSON.stringify(measured)} (wanted ${JSON.stringify(threshold)})`,
      ...waysOf(recovery),
    ]),
  ].join('\n');
}

export function dryRunText({ plan, decision, previews, tookMs }: DryRunView): string {
  const words = { go: 'It may go on.', pause: 'A person has to look first.', refuse: 'It is refused.' };
  return paragraphs(
    previews
      .map(({ key, preview, problem }, place) => {
        const head = `${place} ${key}`;
        if (!preview)
          return `${head}: cannot be seen before the steps that come first${problem === null ? '' : ` (${problem})`}`;
        const { changes, estimatedMs, lock, rows, reversible, notes } = preview;
        const facts = [
          `about ${duration(estimatedMs / 1_000)}`,
          ...(rows > 0 ? [count(rows, 'row')] : []),
          ...(lock === 'none' ? [] : [`${lock} lock`]),
          ...(reversible ? [] : ['cannot be taken back']),
        ];
        return [`${head} (${facts.join(', ')})`, ...[...changes, ...notes].map((line) => `    ${line}`)].join('\n');
      })
      .join('\n'),
    checksText(plan.checks),
    `Nothing was changed; it took ${duration(tookMs / 1_000)}. ${words[decision]}`,
    nextOf(plan.id, plan.state, plan),
  );
}

function nextOf(id: string, state: string, { missing, expiresAt, doc }: PlanView): string {
  const plan = short(id);
  switch (state) {
    case 'blocked':
      return `It is blocked. Put right what the checks name, then: belay dry-run ${plan}`;
    case 'awaiting-approval':
      return [
        `It awaits ${count(missing.length, 'approval')} (${missing.map(({ permission }) => permission).join(', ')}) of somebody else than ${doc.author}, until ${expiresAt}:`,
        `  belay approve ${plan} --as <username> --reason "…"`,
      ].join('\n');
    case 'approved':
      return `It is approved and good until ${expiresAt}:\n  belay run ${plan} --watch`;
    default:
      return `It is ${state}.`;
  }
}
