import { describe, expect, it } from '@jest/globals';
import { edgesAlong, publishedEdge as edge, publishedNode as node } from './graph.samples.js';
import { actionsAt, isOperable, nodeTypes, systemStepAt } from './node-type.rules.js';
import { PublishedVersion, type PublishedEdge, type PublishedNode } from './published-version.rules.js';

function version(nodes: PublishedNode[], edges: (string | PublishedEdge)[]): PublishedVersion {
  const drawn = edges.flatMap((one) => (typeof one === 'string' ? edgesAlong(one, edge) : [one]));
  const all = [node('start', 'start'), node('end', 'end'), ...nodes];
  return new PublishedVersion(
    'v',
    'g',
    'G',
    1,
    all,
    drawn.map((one, sequenceNo) => ({ ...one, sequenceNo })),
  );
}

const operations = ['a', 'b', 'c', 'd'].map((code) => node(code, 'operation'));

describe('a published version', () => {
  it('knows its nodes by id and code, and edges in their order', () => {
    const made = version(operations, [
      'start-a-b-end',
      edge('a', 'c', { type: 'rework' }),
      edge('a', 'd', { priority: 1 }),
    ]);
    expect(made.start.code).toBe('start');
    expect(made.nodeOfCode('b')?.id).toBe('b');
    expect(made.nodeOfCode('z')).toBeUndefined();
    expect(() => made.node('z')).toThrow('no node z');
    expect(made.out('a').map(({ toId }) => toId)).toEqual(['d', 'b', 'c']);
    expect(made.into('b').map(({ fromId }) => fromId)).toEqual(['a']);
  });

  it('knows where work may come to, by whatever moves it on', () => {
    const made = version(operations, [
      'start-a-b-end',
      edge('b', 'c', { type: 'rework' }),
      edge('b', 'd', { type: 'event' }),
    ]);
    expect(made.reaches('start', 'end')).toBe(true);
    expect(made.reaches('b', 'b')).toBe(true);
    expect(made.reaches('b', 'a')).toBe(false);
    expect(made.reaches('a', 'c')).toBe(false);
    expect(made.reaches('a', 'd')).toBe(false);
  });
});

describe('the join of a split', () => {
  it('is where all its branches come together', () => {
    const made = version([...operations, node('s', 'split'), node('j', 'join')], ['start-s-a-j-b-end', 's-c-d-j']);
    expect(made.joinOf('s')?.code).toBe('j');
    expect(made.kindOfSplit('s')).toBe('COMPONENT');
  });

  it('is its own when splits stand inside each other or one after the other', () => {
    const inner = [node('s', 'split'), node('j', 'join'), node('s2', 'split'), node('j2', 'join')];
    const inside = version([...operations, ...inner], ['start-s-a-s2-b-j2-j-end', 's2-c-j2', 's-d-j']);
    expect([inside.joinOf('s')?.code, inside.joinOf('s2')?.code]).toEqual(['j', 'j2']);
    const after = version([...operations, ...inner], ['start-s-a-j-s2-c-j2-end', 's-b-j', 's2-d-j2']);
    expect([after.joinOf('s')?.code, after.joinOf('s2')?.code]).toEqual(['j', 'j2']);
  });

  it('is none when a branch ends elsewhere: its parts carry on alone, unless the designer says otherwise', () => {
    const parting = ['start-s-a-j-end', 's-b-j', 's-c-end'];
    const made = version([...operations, node('s', 'split'), node('j', 'join')], parting);
    expect(made.joinOf('s')).toBeNull();
    expect(made.kindOfSplit('s')).toBe('FORK');
    const said = version(
      [...operations, node('s', 'split', { splitKind: 'FORK' }), node('j', 'join')],
      ['start-s-a-j-end', 's-b-j'],
    );
    expect(said.kindOfSplit('s')).toBe('FORK');
  });

  it('is none when branches run into one another before', () => {
    const split = [node('s', 'split'), node('s2', 'split'), node('j2', 'join')];
    const made = version([...operations, ...split], ['start-s-a-c-s2-d-j2-end', 's-b-c', 's2-j2']);
    expect(made.joinOf('s')).toBeNull();
    expect(made.joinOf('s2')?.code).toBe('j2');
  });

  it('is not lost when a branch may leave for an exceptional end or a sink', () => {
    const apart = [node('lost', 'end', { isExceptionEnd: true }), node('sink', 'rework_sink')];
    const made = version(
      [...operations, node('s', 'split'), node('j', 'join'), ...apart],
      ['start-s-a-j-end', 's-b-j', 'a-lost', 'b-sink'],
    );
    expect(made.joinOf('s')?.code).toBe('j');
  });
});

describe('where a failed piece may go back to', () => {
  it('is every operation of its branch, nearest first', () => {
    const made = version(
      [...operations, node('d1', 'decision'), node('qc', 'qc')],
      ['start-a-b-d1-c-qc-end', 'd1-d-qc'],
    );
    expect(made.reworkTargets('qc').map(({ code }) => code)).toEqual(['c', 'd', 'b', 'a']);
  });

  it.each(['component', 'split', 'join', 'start'] as const)('ends at a %s', (type) => {
    const made = version([...operations, node('x', type), node('qc', 'qc')], ['start-a-x-b-qc-end']);
    expect(made.reworkTargets('qc').map(({ code }) => code)).toEqual(['b']);
  });

  it('is nowhere on another branch, and not along a way back', () => {
    const made = version(
      [...operations, node('s', 'split'), node('j', 'join'), node('qc', 'qc')],
      ['start-a-s-b-qc-j-end', 's-c-j', edge('d', 'qc', { type: 'rework' })],
    );
    expect(made.reworkTargets('qc').map(({ code }) => code)).toEqual(['b']);
  });
});

describe('what a type of node allows', () => {
  const plain = { formSchema: null, waitRule: null };

  it('is work at operations and quality control, and nothing else that has neither form nor approval', () => {
    expect(nodeTypes.filter((type) => isOperable({ type, ...plain }))).toEqual(['operation', 'qc']);
    expect(actionsAt({ type: 'operation', ...plain })).toEqual(['start', 'pause', 'resume', 'complete']);
    expect(actionsAt({ type: 'qc', ...plain })).toEqual(['start', 'pause', 'resume', 'qc']);
  });

  it('is a form at a decision that has one, which then does not route by itself', () => {
    const asking = { type: 'decision', formSchema: { fields: [] }, waitRule: null } as const;
    expect([isOperable(asking), actionsAt(asking), systemStepAt(asking)]).toEqual([true, ['form'], null]);
    const silent = { type: 'decision', ...plain } as const;
    expect([isOperable(silent), actionsAt(silent), systemStepAt(silent)]).toEqual([false, [], 'route']);
  });

  it('is approving at a wait for approval', () => {
    const waiting = (kind: string) => ({ type: 'wait', formSchema: null, waitRule: { kind } }) as const;
    expect(actionsAt(waiting('approval'))).toEqual(['approve']);
    expect(actionsAt(waiting('time'))).toEqual([]);
    expect(systemStepAt(waiting('approval'))).toBe('wait');
  });

  it('is what the system does at once, everywhere else', () => {
    const steps = nodeTypes.map((type) => [type, systemStepAt({ type, ...plain })]);
    expect(Object.fromEntries(steps)).toEqual({
      start: 'route',
      operation: null,
      qc: null,
      decision: 'route',
      split: 'split',
      join: 'join',
      wait: 'wait',
      component: 'route',
      subgraph: null,
      handoff: null,
      rework_sink: 'sink',
      end: 'end',
    });
  });
});
