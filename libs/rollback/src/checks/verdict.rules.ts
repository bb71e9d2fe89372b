import type { CheckOutcome, CheckReport } from './check.js';

/** What came of one check, as it is kept and told. */
export interface CheckResult extends CheckReport {
  readonly id: string;
  readonly title: string;
  readonly severity: 'critical' | 'normal';
  /** Who went on although it did not pass, or before it was made; never anybody for a critical one. */
  readonly bypassedBy: string | null;
}

/** Unknown is not success: only what passed lets a step go on. */
type Decision = 'go' | 'pause' | 'refuse';

export interface Verdict {
  readonly decision: Decision;
  readonly results: readonly CheckResult[];
  /** Those that stand in the way, critical ones first. */
  readonly against: readonly CheckResult[];
}

/** Critical: failed or never made refuses, nobody could find out pauses. Others pause until a person goes on. */
export function judge(results: readonly CheckResult[]): Verdict {
  const against = results
    .filter(
      ({ outcome, severity, bypassedBy }) => outcome !== 'pass' && (severity === 'critical' || bypassedBy === null),
    )
    .sort((one, other) => one.severity.localeCompare(other.severity));
  const refused = against.some(({ outcome, severity }) => severity === 'critical' && refuses(outcome));
  return { decision: refused ? 'refuse' : against.length > 0 ? 'pause' : 'go', results, against };
}

function refuses(outcome: CheckOutcome): boolean {
  return outcome === 'fail' || outcome === 'not-run';
}
