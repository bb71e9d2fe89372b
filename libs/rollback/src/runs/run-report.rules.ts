import type { LogEntry, RunReport, Traffic } from './run.contract.js';

/** The report as Markdown. */
export function reportAsMarkdown(report: RunReport): string {
  const { run, reason, components, timings, checks, bypasses, parked, dataLoss, traffic } = report;
  const seconds = (value: number | null) => (value === null ? 'not ended' : `${value.toFixed(1)} s`);
  return [
    `# Run ${run.id}`,
    '',
    `${run.mode}, ${run.state}. ${reason}`,
    '',
    table(
      ['', ''],
      [
        ['Asked for by', run.actor],
        ['Began', run.startedAt ?? 'not yet'],
        ['Ended', run.finishedAt ?? 'not yet'],
        ['Took', seconds(timings.tookS)],
        ['Budget', seconds(timings.budgetS)],
        ['Target', seconds(timings.targetS)],
        ['Within the budget', timings.withinBudget === null ? 'not ended' : timings.withinBudget ? 'yes' : 'no'],
        ['Data loss', dataLoss === 'none' ? 'none' : 'rows are only in a copy that is kept'],
      ],
    ),
    ...section(
      'What changed',
      table(
        ['component', 'before', 'after'],
        components.map((one) => [one.component, one.from, one.to]),
      ),
    ),
    ...section(
      'Steps',
      table(
        ['', 'action', 'state', 'ms'],
        run.steps.map(({ idx, action, state }, at) => [
          String(idx),
          action,
          state,
          String(timings.steps[at]?.tookMs ?? ''),
        ]),
      ),
    ),
    ...section(
      'Checks',
      table(
        ['check', 'what', 'outcome'],
        checks.map(({ id, title, outcome }) => [id, title, outcome]),
      ),
    ),
    ...section(
      `Errors and latency, ${traffic.minutes} minutes before and after`,
      table(
        ['module', '', 'requests', 'errors', 'p50', 'p95'],
        traffic.modules.flatMap(({ module, before, after }) => [
          [module, 'before', ...figuresText(before)],
          ['', 'after', ...figuresText(after)],
        ]),
      ),
    ),
    ...(bypasses.length === 0
      ? []
      : section(
          'Gone on without',
          table(
            ['check', 'by'],
            bypasses.map(({ check, by }) => [check, by]),
          ),
        )),
    ...(parked.length === 0
      ? []
      : section(
          'Parked',
          table(
            ['domain', 'kind', 'object', 'rows'],
            parked.map(({ domain, kind, object, rows }) => [domain, kind, object, rows ?? '']),
          ),
        )),
    '',
  ].join('\n');
}

/** The same as a page that can be printed; nothing is fetched for it. */
export function reportAsHtml(report: RunReport): string {
  const lines = reportAsMarkdown(report).split('\n');
  const body = lines.map((line) => {
    if (line.startsWith('# ')) return `<h1>${escape(line.slice(2))}</h1>`;
    if (line.startsWith('## ')) return `<h2>${escape(line.slice(3))}</h2>`;
    return escape(line);
  });
  const style =
    'body{font:14px/1.5 system-ui;max-width:60em;margin:2em auto;white-space:pre-wrap}h1,h2{margin:.5em 0 0}';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Run ${escape(report.run.id)}</title><style>${style}</style><body>${body.join('\n')}</body></html>\n`;
}

/** The log as a Markdown table, in the order of the entries. */
export function logAsMarkdown(entries: readonly LogEntry[]): string {
  const head = [
    'Date',
    'Phase',
    'Reason',
    'Rolled back by',
    'Duration',
    'Data loss',
    'Issues encountered',
    'Resolution',
  ];
  const rows = entries.map((one) => [
    one.date,
    one.phase,
    one.reason,
    one.rolledBackBy,
    one.durationS === null ? '' : `${one.durationS.toFixed(1)} s`,
    one.dataLoss ? 'yes' : 'no',
    one.issues,
    one.resolution,
  ]);
  return `# Rollback log\n\n${table(head, rows)}\n`;
}

function figuresText(figures: Traffic['modules'][number]['before']): string[] {
  if (!figures) return ['none', '', '', ''];
  const { requests, errors, errorRate, p50Ms, p95Ms } = figures;
  const ms = (value: number | null) => (value === null ? '' : `${value} ms`);
  return [String(requests), `${errors} (${(errorRate * 100).toFixed(1)} %)`, ms(p50Ms), ms(p95Ms)];
}

function section(title: string, text: string): string[] {
  return ['', `## ${title}`, '', text];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('|', '\\|')
    .replaceAll(/\s*\n\s*/g, ' ');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
