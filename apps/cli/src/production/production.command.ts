import { Command, InvalidArgumentError, Option } from 'commander';
import { FloorClient } from './floor-client.js';
import { readFloorLog, type Case, type FloorLog } from './floor-log.js';
import { codesFor, usualWay } from './usual-way.js';

interface ImportFlags {
  readonly site: string;
  readonly offset: string;
  readonly name: string;
  readonly check?: boolean;
  readonly json?: boolean;
  readonly url: string;
  readonly token: string;
}

interface Taken {
  jobs: number;
  knownJobs: number;
  visits: number;
  overlaps: number;
}

/** `belay production import-log <file>`; `print` takes what is to be told. */
export function productionCommand(print: (text: string) => void = (text) => process.stdout.write(text)): Command {
  const production = new Command('production').description('brings what was done elsewhere to a running Belay');
  production
    .command('import-log')
    .description('takes the event log of a shop floor over as history: cases, steps, workers and machines')
    .argument('<file>', 'CSV with the columns Case ID, Activity, Resource, Start and Complete Timestamp, Worker ID, …')
    .requiredOption('--site <code>', 'where it was done')
    .requiredOption('--offset <offset>', 'how far the clock on the wall was from UTC, e.g. -05:00', offsetOf)
    .option('--name <name>', 'what the codes of jobs, machines, team and graph begin with', 'LOG')
    .option('--check', 'only tell what is in the file')
    .option('--json', 'tell it as one JSON document')
    .option('--url <url>', 'of the API', 'http://127.0.0.1:3000')
    .addOption(
      new Option('--token <token>', 'an access token or an API token (bly_…)').env('BELAY_TOKEN').makeOptionMandatory(),
    )
    .action((file: string, flags: ImportFlags) => importLog(file, flags, print));
  return production;
}

async function importLog(file: string, flags: ImportFlags, print: (text: string) => void): Promise<void> {
  const log = await readFloorLog(file, flags.offset);
  const began = performance.now();
  const taken = flags.check === true ? undefined : await bring(log, flags);
  const report = { ...reportOf(log), ...(taken && { taken }) };
  if (flags.json === true) {
    print(`${JSON.stringify(report)}\n`);
    return;
  }
  const seconds = (performance.now() - began) / 1_000;
  print(textOf(report));
  if (taken) print(`Taken in ${seconds.toFixed(1)} s.\n`);
}

async function bring(log: FloorLog, { site, name, url, token }: ImportFlags): Promise<Taken> {
  const client = new FloorClient(url, token);
  const siteId = await client.site(site);
  const workCenters = new Map<string, string>();
  for (const [machine, code] of codesFor(log.machines)) {
    workCenters.set(machine, await client.workCenter(siteId, `${name}-${code}`.slice(0, 64), machine));
  }
  const teamId = await client.team(siteId, name, `Workers of ${name}`);
  const workers = new Map<string, string>();
  for (const [worker, code] of codesFor(log.workers)) {
    workers.set(worker, await client.worker(siteId, teamId, `${name}-${code}`.toLowerCase(), worker));
  }
  const drawing = usualWay(log, workCenters);
  const graphVersionId = await client.graph(name, `The usual way of ${name}`, drawing);
  const taken: Taken = { jobs: 0, knownJobs: 0, visits: 0, overlaps: 0 };
  for (const one of log.cases) {
    const place = { siteId, graphVersionId, line: 'atelier', code: `${name}-${one.id}` };
    const answer = await client.take({ ...place, ...jobOf(one, drawing.codes, workers) });
    taken[answer.taken ? 'jobs' : 'knownJobs'] += 1;
    taken.visits += answer.taken ? answer.visits : 0;
    taken.overlaps += answer.overlaps;
  }
  return taken;
}

function jobOf(one: Case, codes: ReadonlyMap<string, string>, workers: ReadonlyMap<string, string>): object {
  return {
    productName: one.part,
    targetQty: one.qty,
    visits: one.steps.map((step) => ({
      nodeCode: codes.get(step.activity),
      operatorId: workers.get(step.worker),
      kind: step.kind,
      startedAt: step.startedAt,
      endedAt: step.endedAt,
      goodQty: step.goodQty,
      scrapQty: step.scrapQty,
      reviewQty: step.reviewQty,
      isRework: step.isRework,
    })),
  };
}

function reportOf(log: FloorLog) {
  const steps = log.cases.flatMap((one) => one.steps);
  const sum = (amounts: readonly number[]) => amounts.reduce((one, other) => one + other, 0);
  const hours = steps.map(({ startedAt, endedAt }) => (Date.parse(endedAt) - Date.parse(startedAt)) / 3_600_000);
  return {
    rows: log.rows,
    steps: steps.length,
    refused: log.refused,
    duplicates: log.duplicates,
    cases: log.cases.length,
    activities: log.activities.length,
    machines: log.machines.length,
    workers: log.workers.length,
    parts: log.parts,
    orderedQty: sum(log.cases.map(({ qty }) => qty)),
    hours: Math.round(sum(hours) * 10) / 10,
    rework: steps.filter(({ isRework }) => isRework).length,
  };
}

function textOf(report: ReturnType<typeof reportOf> & { readonly taken?: Taken }): string {
  const { rows, steps, refused, duplicates, cases, activities, machines, workers, parts, taken } = report;
  const reasons = Object.entries(refused).filter(([, count]) => count > 0);
  const lines = [
    `${rows} rows: ${steps} steps of ${cases} cases, ${activities} activities, ${machines} machines, ${workers} workers, ${parts} parts.`,
    `Not taken: ${rows - steps}${reasons.map(([reason, count]) => `; ${reason}: ${count}`).join('')}. Told twice: ${duplicates}.`,
    `${report.hours} hours, ${report.orderedQty} pieces ordered, ${report.rework} steps done again.`,
  ];
  if (taken) {
    lines.push(
      `${taken.jobs} jobs with ${taken.visits} visits are new, ${taken.knownJobs} were there; ${taken.overlaps} visits overlap.`,
    );
  }
  return lines.map((text) => `${text}\n`).join('');
}

function offsetOf(text: string): string {
  if (/^([+-]\d{2}:\d{2}|Z)$/.test(text)) return text;
  throw new InvalidArgumentError('An offset such as -05:00 is expected.');
}
