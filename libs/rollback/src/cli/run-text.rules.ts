import { z } from 'zod';
import type { LogEntry, RunEventView, RunSummary, RunView } from '../runs/run.contract.js';
import { count, duration, paragraphs, table } from './text.rules.js';

const told = z.object({
  percent: z.number().default(0),
  idx: z.number().optional(),
  ms: z.number().optional(),
  done: z.number().optional(),
  total: z.number().optional(),
  unit: z.string().optional(),
  for: z.string().optional(),
  kind: z.string().optional(),
  message: z.string().optional(),
  reason: z.string().optional(),
  outcome: z.string().optional(),
  decision: z.string().optional(),
  against: z.array(z.object({ id: z.string(), title: z.string() })).optional(),
});

type Step = RunView['steps'][number];

/** A line for people: how far it is, which step, what happened, how long it will take. Undefined for what says nothing new. */
export function eventText(
  { type, payload }: RunEventView,
  steps: readonly Step[],
  estimateS: number,
): string | undefined {
  const facts = told.parse(payload);
  const what = wordsOf(type, facts);
  if (what === undefined) return undefined;
  const { percent, idx } = facts;
  const step = idx === undefined ? undefined : steps[idx];
  const where = step ? `${idx ?? 0}/${steps.length - 1} ${nameOf(step)}: ` : '';
  const left = percent < 100 && estimateS > 0 ? `, about ${duration((estimateS * (100 - percent)) / 100)} left` : '';
  const eta = type === 'step.started' || type === 'step.progress' ? left : '';
  return `${String(Math.floor(percent)).padStart(3)} %  ${where}${what}${eta}`;
}

function wordsOf(type: string, facts: z.infer<typeof told>): string | undefined {
  const because = facts.message ?? facts.reason;
  const why = because === undefined ? '' : `: ${because}`;
  switch (type) {
    case 'step.preview':
    case 'step.previewed':
    case 'step.verify-started':
    case 'step.effect-done':
    case 'step.finished':
      return undefined;
    case 'step.started':
      return 'at work';
    case 'step.progress': {
      const { done, total, unit, ms = 0 } = facts;
      const amount = total !== undefined && total > 0 ? `${done ?? 0} of ${total} ${unit ?? ''}, ` : '';
      return `${amount}${duration(ms / 1_000)}`;
    }
    case 'step.verify-result':
      return facts.outcome === 'pass' ? 'done and verified' : `looked at: ${facts.outcome ?? 'unknown'}`;
    case 'step.waiting':
      return `waits for ${facts.kind ?? 'somebody'}${why}`;
    case 'run.checked':
      return checked(facts);
    case 'run.paused':
      return `paused (${facts.for ?? 'human'})${why}`;
    default:
      return `${type.replace(/^(run|step)\./, '').replaceAll('-', ' ')}${why}`;
  }
}

function checked({ decision, against = [] }: z.infer<typeof told>): string | undefined {
  if (against.length === 0) return decision === 'go' ? undefined : `checked: ${decision ?? 'unknown'}`;
  return `checked, ${decision ?? 'unknown'}; not passed: ${against.map(({ id, title }) => `${id} ${title}`).join(', ')}`;
}

/** A run as it stands, with what can be done about it. */
export function runText(run: RunView): string {
  const { id, state, pausedFor, mode, percent, elapsedS, etaS, reason, actor, steps } = run;
  const left = etaS !== null && etaS > 0 ? `, about ${duration(etaS)} left` : '';
  return paragraphs(
    [
      `Run ${id}: ${state}${pausedFor === null ? '' : ` (${pausedFor})`}, ${mode}, ${Math.floor(percent)} %, ${duration(elapsedS)}${left}`,
      `Asked for by ${actor}: ${reason}`,
    ].join('\n'),
    table(
      ['', 'step', 'state', 'took'],
      steps.map((step) => [String(step.idx), nameOf(step), stateOf(step), tookOf(step)]),
    ),
    remainingText(run),
    nextText(run),
  );
}

/** What a person has to do by hand when the run cannot. */
function remainingText({ state, result }: RunView): string {
  if (state !== 'manual') return '';
  const remaining = z.array(z.record(z.string(), z.json())).safeParse(result['remaining']).data ?? [];
  return ['To be done by hand:', ...remaining.map((one) => `  ${JSON.stringify(one)}`)].join('\n');
}

function nextText({ id, state, steps }: RunView): string {
  const waiting = steps.find((step) => step.state === 'waiting' && step.waitsFor === 'human');
  const failed = steps.find((step) => step.state === 'failed');
  switch (state) {
    case 'queued':
      return `A worker takes it up; without one: belay watch ${id} --here`;
    case 'running':
    case 'verifying':
      return waiting
        ? `It waits for a person: belay confirm ${id} ${waiting.idx} --reason "…"`
        : `Follow it: belay watch ${id}`;
    case 'paused':
      return [
        'It rests until somebody decides:',
        ...(failed ? [`  belay retry ${id} ${failed.idx}`, `  belay skip ${id} ${failed.idx}`] : []),
        `  belay resume ${id}`,
        `  belay cancel ${id}`,
      ].join('\n');
    case 'manual':
      return `When all of it is done: belay confirm ${id} --reason "…"`;
    case 'monitoring':
    case 'closed':
      return `Take it back: belay undo ${id}`;
    default:
      return '';
  }
}

export function runsText(runs: readonly RunSummary[]): string {
  if (runs.length === 0) return 'No run yet.';
  return table(
    ['run', 'when', 'what', 'state', '%', 'by'],
    runs.map(({ id, createdAt, target, state, pausedFor, percent, actor, mode }) => [
      id,
      createdAt.slice(0, 19).replace('T', ' '),
      `${targetText(target)}${mode === 'normal' ? '' : ` (${mode})`}`,
      pausedFor === null ? state : `${state}: ${pausedFor}`,
      String(Math.floor(percent)),
      actor,
    ]),
  );
}

export function logText(entries: readonly LogEntry[]): string {
  if (entries.length === 0) return 'Nothing was rolled back yet.';
  return paragraphs(
    table(
      ['date', 'phase', 'by', 'took', 'data loss', 'resolution', 'reason'],
      entries.map((one) => [
        one.date.slice(0, 19).replace('T', ' '),
        one.phase,
        one.rolledBackBy,
        one.durationS === null ? '' : duration(one.durationS),
        one.dataLoss ? 'yes' : 'no',
        one.resolution,
        one.reason,
      ]),
    ),
    `${count(entries.length, 'entry', 'entries')}.`,
  );
}

function targetText(target: RunSummary['target']): string {
  const words = ['kind', 'path', 'runbook', 'domain', 'depth', 'feature', 'level', 'runId'].map((name) => target[name]);
  return words.filter((word) => typeof word === 'string').join(' ');
}

function nameOf({ action, domain, input }: Step): string {
  const subject = domain ?? input['flag'] ?? input['name'];
  const flag = typeof input['flag'] === 'string' ? input['flag'] : subject;
  return typeof flag === 'string' ? `${action} ${flag}` : action;
}

function stateOf({ state, waitsFor, error, skipReason }: Step): string {
  const message = error?.['message'];
  const why = waitsFor ?? skipReason ?? (typeof message === 'string' ? message : undefined);
  return why === undefined ? state : `${state} (${why})`;
}

function tookOf({ startedAt, finishedAt }: Step): string {
  return startedAt !== null && finishedAt !== null
    ? duration((Date.parse(finishedAt) - Date.parse(startedAt)) / 1_000)
    : '';
}
