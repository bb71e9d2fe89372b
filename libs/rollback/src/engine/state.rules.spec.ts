import { describe, expect, it } from '@jest/globals';
import { checkTransition, isAllowed, transitions, type Machine } from './state.rules.js';

/** As people read it: `from: to, to`. */
const tables = {
  plan: [
    'validating: blocked, awaiting-approval, approved',
    'blocked: validating, expired, cancelled',
    'awaiting-approval: approved, expired, cancelled',
    'approved: used, expired, cancelled',
    'used:',
    'expired:',
    'cancelled:',
  ],
  run: [
    'queued: running, cancelled',
    'running: paused, verifying, failed',
    'paused: running, verifying, failed, compensating, manual, cancelled',
    'verifying: paused, monitoring, failed',
    'monitoring: closed',
    'failed: paused, compensating',
    'compensating: paused, compensated, manual',
    'closed:',
    'compensated:',
    'manual: paused, closed',
    'cancelled:',
  ],
  step: [
    'pending: previewed, skipped',
    'previewed: running, skipped',
    'running: effect-done, effect-unknown, failed, waiting',
    'waiting: running, skipped',
    'effect-unknown: effect-done, previewed, failed',
    'effect-done: verified, failed, compensating',
    'verified: compensating',
    'failed: previewed, skipped, compensating',
    'compensating: compensated, compensation-failed',
    'compensated:',
    'compensation-failed:',
    'skipped:',
  ],
  backup: [
    'creating: created, broken',
    'created: checksummed, broken, expired',
    'checksummed: complete, broken, expired',
    'complete: restored, broken, expired',
    'restored: proven, broken, expired',
    'proven: expired, broken',
    'expired:',
    'broken:',
  ],
} as const satisfies Record<Machine, readonly string[]>;

describe.each(Object.entries(tables))('a %s', (name, lines) => {
  const table = new Map(
    lines.map((line) => {
      const [from = '', to = ''] = line.split(':');
      return [from, new Set(to.split(',').map((one) => one.trim()))];
    }),
  );
  const machine: Readonly<Record<string, readonly string[]>> =
    Object.entries(transitions).find(([known]) => known === name)?.[1] ?? {};
  const states = Object.keys(machine);

  it('has these states and no others', () => {
    expect(states.toSorted()).toEqual([...table.keys()].toSorted());
  });

  it('makes the moves of the table and none besides', () => {
    for (const [from, next] of Object.entries(machine)) {
      expect({ from, to: next.toSorted() }).toEqual({
        from,
        to: [...(table.get(from) ?? [])].filter((to) => to !== '').toSorted(),
      });
    }
  });
});

describe('a move', () => {
  it('that is not listed throws and names both states', () => {
    expect(isAllowed('run', 'closed', 'running')).toBe(false);
    expect(() => {
      checkTransition('step', 'verified', 'running');
    }).toThrow('A step that is verified cannot become running.');
    expect(() => {
      checkTransition('step', 'previewed', 'running');
    }).not.toThrow();
  });
});
