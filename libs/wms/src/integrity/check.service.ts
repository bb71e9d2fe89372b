import { databaseError, type Executor } from '@belay/platform';
import { integrityChecks, type IntegritySeverity } from './integrity.queries.js';
import { beginCheck, endCheck, giveCheckUp, limitChecks } from './integrity-run.queries.js';

/** More are not counted. */
const MOST_VIOLATIONS = 1_000;
const SAMPLE = 20;
const PATIENCE_MS = 120_000;

export interface CheckResult {
  readonly name: string;
  readonly holds: string;
  readonly severity: IntegritySeverity;
  /** What is not known to hold is neither passed nor failed. */
  readonly outcome: 'passed' | 'failed' | 'inconclusive';
  readonly violations: number;
  readonly sample: readonly Readonly<Record<string, unknown>>[];
  readonly durationMs: number;
  readonly note: string | null;
}

/** Every check of the warehouse, one after the other, inside the transaction that is given. */
export async function runChecks(on: Executor, patienceMs = PATIENCE_MS): Promise<CheckResult[]> {
  await limitChecks(on, [String(patienceMs)]);
  const results: CheckResult[] = [];
  for (const check of integrityChecks) {
    const { name, holds, severity } = check;
    const begin = performance.now();
    const result = (outcome: CheckResult['outcome'], found: CheckResult['sample'], note: string | null) => ({
      ...{ name, holds, severity, outcome, note, violations: found.length, sample: found.slice(0, SAMPLE) },
      durationMs: Math.round(performance.now() - begin),
    });
    await beginCheck(on, []);
    try {
      const found = (await check.find(on, [MOST_VIOLATIONS])).map(({ violation }) => violation);
      results.push(result(found.length > 0 ? 'failed' : 'passed', found, null));
      await endCheck(on, []);
    } catch (error) {
      const refused = databaseError(error);
      if (!refused) throw error;
      await giveCheckUp(on, []);
      results.push(result('inconclusive', [], refused.message));
    }
  }
  return results;
}
