import { describe, expect, it } from '@jest/globals';
import { stateOfNode, stateOfStation } from './progress.rules.js';

const nothing = { live: 0, held: 0, active: 0, paused: 0, passed: false, expected: false };

describe('the state of a node', () => {
  it('is pending until something comes, and while more of what came is to come', () => {
    expect(stateOfNode(nothing)).toBe('pending');
    expect(stateOfNode({ ...nothing, passed: true, expected: true })).toBe('pending');
  });

  it('is completed when all that ever comes has been there', () => {
    expect(stateOfNode({ ...nothing, passed: true })).toBe('completed');
  });

  it('is blocked only when all that is there is held', () => {
    expect(stateOfNode({ ...nothing, live: 2, held: 2, active: 2 })).toBe('blocked');
    expect(stateOfNode({ ...nothing, live: 2, held: 1, active: 1 })).toBe('active');
  });

  it('is that of the work there that is furthest on', () => {
    expect(stateOfNode({ ...nothing, live: 3, active: 1, paused: 1 })).toBe('active');
    expect(stateOfNode({ ...nothing, live: 2, paused: 1 })).toBe('paused');
    expect(stateOfNode({ ...nothing, live: 1 })).toBe('waiting');
  });

  it('is told by the stations while they run the job', () => {
    expect(stateOfStation('pending')).toBe('pending');
    expect(stateOfStation('in_progress')).toBe('active');
    expect(stateOfStation('completed')).toBe('completed');
    expect(stateOfStation('skipped')).toBe('completed');
  });
});
