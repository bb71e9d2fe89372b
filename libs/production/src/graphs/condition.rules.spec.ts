import { describe, expect, it } from '@jest/globals';
import { conditionOfText, conditionOfThreshold } from './condition-text.rules.js';
import { faultOf, holds, type Condition, type ConditionContext, type Term } from './condition.rules.js';

const context: ConditionContext = {
  token: {
    qty: 12,
    priority: 3,
    serial: 'BLY-OEM-1',
    status: 'active',
    reworkCount: 1,
    metadata: { colour: 'red', wet: false, size: { eu: 42 }, tags: ['rush', 'gift'] },
    qcResult: { status: 'fail', defectType: 'STITCH', severity: null },
  },
  job: { priority: 5, targetQty: 100, processMode: 'piece', line: 'oem', attributes: { customer_tier: 'gold' } },
  node: { type: 'decision', code: 'D1', teamCategory: 'sewing', workCenterCode: null },
  form: { approved: true, cause: 'late' },
};

function text(expression: string): boolean | null {
  const condition = conditionOfText(expression);
  return condition && holds(condition, context);
}

function faultIn(term: object): string | null {
  const condition: Condition = {
    groups: [[{ type: 'token_property', field: 'qty', op: '==', value: 1, ...term } as const]],
  };
  return faultOf(condition);
}

describe('a condition', () => {
  it.each([
    ['token.qty == 12', true],
    ['token.qty != 12', false],
    ['token.qty > 12', false],
    ['token.qty >= 12', true],
    ['token.qty < 12', false],
    ['token.qty <= 12', true],
    ["token.serial STARTS_WITH 'BLY-'", true],
    ["token.serial CONTAINS 'OEM'", true],
    ["token.metadata.tags CONTAINS 'gift'", true],
    ["token.metadata.tags CONTAINS 'gif'", false],
    ["token.metadata.colour IN ('red', 'blue')", true],
    ["token.metadata.colour NOT_IN ('red', 'blue')", false],
    ['token.metadata.size.eu == 42', true],
    ['token.metadata.wet == false', true],
    ["token.qc_result.defect_type == 'STITCH'", true],
    ["token.status == 'active'", true],
    ['token.rework_count >= 1', true],
    ['token.priority < 4', true],
    ["job.customer_tier == 'gold'", true],
    ["job.line IN ('oem')", true],
    ["job.process_mode == 'batch'", false],
    ['job.target_qty == 100', true],
    ['job.priority == 5', true],
    ["node.node_code == 'D1'", true],
    ["node.node_type == 'decision'", true],
    ["node.team_category == 'sewing'", true],
    ['token.form.approved == true', true],
    ["token.form.cause == 'late'", true],
  ])('%s: %s', (expression, expected) => {
    const condition = conditionOfText(expression);
    expect(condition && faultOf(condition)).toBeNull();
    expect(text(expression)).toBe(expected);
  });

  it('takes a value that is missing for different from every other', () => {
    expect(text("job.order_channel == 'web'")).toBe(false);
    expect(text("job.order_channel != 'web'")).toBe(true);
    expect(text("job.order_channel NOT_IN ('web')")).toBe(true);
    expect(text('token.metadata.weight < 10')).toBe(false);
    expect(text("token.metadata.size.us.wide == 'x'")).toBe(false);
  });

  it('never takes a text for the number it looks like', () => {
    expect(text("token.metadata.size.eu == '42'")).toBe(false);
    expect(text('token.metadata.colour > 1')).toBe(false);
  });

  it('holds when one group does, and a group when all of it does', () => {
    expect(text('token.qty == 1 AND job.priority == 5')).toBe(false);
    expect(text('token.qty == 1 AND job.priority == 5 OR token.qty == 12')).toBe(true);
    expect(holds({ groups: [] }, context)).toBe(false);
    expect(holds({ groups: [[]] }, context)).toBe(false);
  });

  it('reads nothing that is not a field of its own', () => {
    expect(text('token.metadata.constructor == 1')).toBe(false);
    expect(faultIn({ field: '__proto__' })).toBe('token_property has no field __proto__');
  });
});

describe('a condition means nothing', () => {
  it.each<[object, string]>([
    [{ field: 'colour' }, 'token_property has no field colour'],
    [{ type: 'job_property', field: 'metadata.colour' }, 'job_property has no field metadata.colour'],
    [{ field: 'metadata.' }, 'token_property has no field metadata.'],
    [{ value: '1' }, 'qty is a number'],
    [{ field: 'serial', value: 1 }, 'serial is a text'],
    [{ value: [1] }, '== does not go with that value'],
    [{ op: 'IN' }, 'IN does not go with that value'],
    [{ op: 'IN', value: [] }, 'IN needs at least one value'],
    [{ field: 'metadata.x', op: '>', value: 'a' }, '> compares numbers'],
    [{ field: 'metadata.x', op: 'CONTAINS', value: 1 }, 'CONTAINS compares texts'],
  ])('%j: %s', (term, fault) => {
    expect(faultIn(term)).toBe(fault);
  });

  it('without a group, with an empty one, or when default is not alone', () => {
    const byDefault: Term = { type: 'default' };
    expect(faultOf({ groups: [] })).toBe('a group is empty');
    expect(faultOf({ groups: [[byDefault], []] })).toBe('a group is empty');
    expect(faultOf({ groups: [[byDefault], [byDefault]] })).toBe('default stands alone');
    expect(faultOf({ groups: [[byDefault]] })).toBeNull();
  });
});

describe('what was written elsewhere', () => {
  it('is translated: thresholds of quantity include both ends', () => {
    expect(conditionOfThreshold({ minQty: 10, maxQty: 20 })).toEqual({
      groups: [
        [
          { type: 'token_property', field: 'qty', op: '>=', value: 10 },
          { type: 'token_property', field: 'qty', op: '<=', value: 20 },
        ],
      ],
    });
    expect(conditionOfThreshold({})).toBeNull();
  });

  it('is translated: default', () => {
    expect(conditionOfText(' default ')).toEqual({ groups: [[{ type: 'default' }]] });
  });

  it.each([
    '',
    'true',
    'qty > 5',
    'token.qty > 5 AND',
    'token.qty > 5 OR OR token.qty < 1',
    'token.qty = 5',
    'token.qty > 5; DROP TABLE x',
    '(token.qty > 5)',
    'NOT token.qty > 5',
    'token.qty > job.priority',
    'token.qty > 5 + 1',
    'job.line IN oem',
    "job.line IN ('oem'",
    "job.line == 'it''s'",
    'process.exit()',
  ])('is refused when it says anything else: %s', (expression) => {
    expect(conditionOfText(expression)).toBeNull();
  });
});
