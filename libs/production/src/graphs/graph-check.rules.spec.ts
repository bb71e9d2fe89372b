import { describe, expect, it } from '@jest/globals';
import type { Condition } from './condition.rules.js';
import { checkGraph } from './graph-check.rules.js';
import type { Design, DesignedEdge, DesignedNode } from './graph.rules.js';
import { designedEdge as edge, designedNode as node, edgesAlong } from './graph.samples.js';

const TEAM = 'team';
const CENTER = 'center';
const known = { teams: new Set([TEAM]), workCenters: new Set([CENTER]) };

function path(...steps: string[]): DesignedEdge[] {
  return steps.flatMap((step) => edgesAlong(step, edge));
}

const start = node('start', 'start');
const end = node('end', 'end');
const sew = node('sew', 'operation');
const linear: Design = { nodes: [start, sew, end], edges: path('start-sew-end') };

function findings(design: Design): string[] {
  return checkGraph(design, known).map(({ code, node: at, edge: of }) => {
    const place = of ? `${of.from}>${of.to}` : at;
    return place === null ? code : `${code} ${place}`;
  });
}

function withNodes(nodes: DesignedNode[], ...steps: string[]): Design {
  return { nodes: [start, end, ...nodes], edges: path(...steps) };
}

describe('a design can be published', () => {
  it('when it is a line', () => {
    expect(findings(linear)).toEqual([]);
  });

  it('when it decides, splits, joins, waits, checks and sends back', () => {
    const design: Design = {
      nodes: [
        start,
        end,
        node('d', 'decision'),
        node('a', 'operation'),
        node('s', 'split'),
        node('l', 'operation'),
        node('r', 'operation', { teamCategory: null, workCenterId: CENTER }),
        node('j', 'join', { timeoutNodeCode: 'lost', waitWindowMinutes: 60 }),
        node('dry', 'wait', { waitRule: { kind: 'time', minutes: 5 } }),
        node('qc', 'qc', {
          qcPolicy: {
            reworkLimit: 2,
            allowScrap: true,
            requireReworkEdge: true,
            selfQcAllowed: true,
            qcAssignmentRequired: false,
          },
        }),
        node('lost', 'end', { isExceptionEnd: true }),
        node('sink', 'rework_sink', { reasonMap: { tear: 'a' } }),
      ],
      edges: [
        ...path('start-d', 'a-s', 's-l-j', 's-r-j', 'j-dry-qc-end'),
        edge('d', 'a', { isDefault: true }),
        edge('d', 's', {
          type: 'conditional',
          condition: { groups: [[{ type: 'job_property', field: 'line', op: '==', value: 'oem' }]] },
        }),
        edge('qc', 'a', { type: 'rework' }),
        edge('r', 'sink', { type: 'event' }),
      ],
    };
    expect(findings(design)).toEqual([]);
  });
});

describe('a design is no graph', () => {
  it('with two nodes of one code; the second is pointed at', () => {
    const [found] = checkGraph({ nodes: [start, sew, end, sew], edges: linear.edges }, known);
    expect(found).toMatchObject({ code: 'node-code-taken', severity: 'structure', node: 'sew', pointer: '#/nodes/3' });
  });

  it('with an edge, a timeout or a reason that leads to no node', () => {
    const lost = node('lost', 'join', { timeoutNodeCode: 'x', reasonMap: { a: 'y' } });
    const design = { nodes: [start, end, lost], edges: path('start-end', 'end-z') };
    expect(findings(design)).toEqual(['node-unknown end>z', 'node-unknown lost', 'node-unknown lost']);
    expect(checkGraph(design, known).map(({ severity }) => severity)).toEqual(['structure', 'structure', 'structure']);
  });
});

describe('what keeps a design from being published', () => {
  it.each<[string, Design, string[]]>([
    ['nothing is drawn', { nodes: [], edges: [] }, ['start-node-count', 'end-node-count']],
    ['two starts', withNodes([node('s2', 'start')], 'start-end', 's2-end'), ['start-node-count']],
    ['two ways from the start', withNodes([sew], 'start-sew-end', 'start-end'), ['start-edge-count start']],
    ['no end', { nodes: [start, sew], edges: path('start-sew') }, ['end-node-count', 'dead-end-node sew']],
    [
      'a circle',
      withNodes([sew, node('b', 'operation')], 'start-sew-b-sew', 'b-end'),
      ['cycle-detected sew', 'cycle-detected b'],
    ],
    ['an edge to itself', withNodes([sew], 'start-sew-end', 'sew-sew'), ['cycle-detected sew']],
    [
      'a node nothing leads to',
      withNodes([sew, node('b', 'operation')], 'start-sew-end', 'b-end'),
      ['unreachable-node b'],
    ],
    [
      'an exceptional end nothing leads to',
      withNodes([sew, node('x', 'end', { isExceptionEnd: true })], 'start-sew-end'),
      ['unreachable-node x'],
    ],
    ['a split of one', withNodes([sew, node('s', 'split')], 'start-s-sew-end'), ['split-edges-insufficient s']],
    [
      'parts without a join',
      withNodes(
        [sew, node('b', 'operation'), node('s', 'split', { splitKind: 'COMPONENT' })],
        'start-s-sew-end',
        's-b-end',
      ),
      ['split-without-join s'],
    ],
    ['a join of one', withNodes([node('j', 'join')], 'start-j-end'), ['join-edges-insufficient j']],
    [
      'an operation of nobody',
      withNodes([node('b', 'operation', { teamCategory: null })], 'start-b-end'),
      ['missing-team-category b'],
    ],
    [
      'a work centre that is gone',
      withNodes([node('b', 'operation', { workCenterId: 'gone' })], 'start-b-end'),
      ['invalid-work-center b'],
    ],
    [
      'teams that are gone',
      withNodes(
        [node('b', 'operation', { preferredTeamId: 'x', allowedTeamIds: ['x', 'y'], forbiddenTeamIds: ['z'] })],
        'start-b-end',
      ),
      ['invalid-team-reference b', 'invalid-team-reference b', 'invalid-team-reference b'],
    ],
    [
      'a team that is wanted and forbidden',
      withNodes([node('b', 'operation', { preferredTeamId: TEAM, forbiddenTeamIds: [TEAM] })], 'start-b-end'),
      ['invalid-team-reference b'],
    ],
  ])('%s', (_name, design, expected) => {
    expect(findings(design)).toEqual(expected);
  });

  it('a quorum outside the branches there are', () => {
    const joined = (joinQuorum: number | null) =>
      findings(
        withNodes(
          [node('s', 'split'), sew, node('b', 'operation'), node('j', 'join', { joinType: 'N_OF_M', joinQuorum })],
          'start-s-sew-j-end',
          's-b-j',
        ),
      );
    expect(joined(1)).toEqual([]);
    expect(joined(2)).toEqual([]);
    for (const quorum of [0, 3, null]) expect(joined(quorum)).toEqual(['join-quorum-invalid j']);
  });

  it('weights that do not sum to 1', () => {
    const weighed = (...weights: (number | null)[]) =>
      findings({
        nodes: [
          start,
          end,
          node('s', 'split', { splitPolicy: 'RATIO' }),
          ...weights.map((_, n) => node(`o${n}`, 'operation')),
        ],
        edges: [
          ...path('start-s', ...weights.map((_, n) => `o${n}-end`)),
          ...weights.map((weight, n) => edge('s', `o${n}`, { weight })),
        ],
      });
    expect(weighed(0.7, 0.2, 0.1)).toEqual([]);
    expect(weighed(0.333333, 0.333333, 0.333334)).toEqual([]);
    expect(weighed(0.5, 0.499)).toEqual(['ratio-weights s']);
    expect(weighed(0.5, 0.501)).toEqual(['ratio-weights s']);
    expect(weighed(1, 0)).toEqual(['ratio-weights s']);
    expect(weighed(1, null)).toEqual(['ratio-weights s']);
  });

  it('a choice without a default, at decisions and at quality control', () => {
    for (const type of ['decision', 'qc'] as const) {
      const nodes = [start, end, sew, node('d', type)];
      const rest = path('start-d', 'sew-end');
      expect(findings({ nodes, edges: [...rest, edge('d', 'sew'), edge('d', 'end')] })).toEqual([
        'decision-no-default d',
      ]);
      expect(findings({ nodes, edges: [...rest, edge('d', 'sew'), edge('d', 'end', { isDefault: true })] })).toEqual(
        [],
      );
    }
    expect(findings(withNodes([sew, node('d', 'decision')], 'start-d-sew-end'))).toEqual([]);
  });

  it('no way back where one is required', () => {
    const policy = {
      reworkLimit: null,
      allowScrap: false,
      requireReworkEdge: true,
      selfQcAllowed: true,
      qcAssignmentRequired: false,
    };
    const design = withNodes([sew, node('qc', 'qc', { qcPolicy: policy })], 'start-sew-qc-end');
    expect(findings(design)).toEqual(['qc-rework-edge-required qc']);
    expect(findings({ ...design, edges: [...design.edges, edge('qc', 'sew', { type: 'rework' })] })).toEqual([]);
  });

  it('a wait without a usable rule, or with another number of edges than one', () => {
    const waiting = (waitRule: DesignedNode['waitRule'], ...more: string[]) =>
      findings(withNodes([sew, node('w', 'wait', { waitRule })], 'start-w-sew-end', ...more));
    expect(waiting({ kind: 'time', minutes: 1 })).toEqual([]);
    expect(waiting({ kind: 'batch', minBatch: 1, collectFor: 'instance' })).toEqual([]);
    expect(waiting({ kind: 'approval', role: 'supervisor' })).toEqual([]);
    expect(waiting(null)).toEqual(['wait-rule-invalid w']);
    expect(waiting({ kind: 'time', minutes: 0 })).toEqual(['wait-rule-invalid w']);
    expect(waiting({ kind: 'batch', minBatch: 0, collectFor: 'instance' })).toEqual(['wait-rule-invalid w']);
    expect(waiting({ kind: 'time', minutes: 1 }, 'w-end')).toEqual(['wait-rule-invalid w']);
  });

  it('conditions that mean nothing, are missing, or stand on a normal edge', () => {
    const of = (details: Partial<DesignedEdge>) =>
      findings({
        nodes: [start, end, sew, node('d', 'decision')],
        edges: [...path('start-d', 'sew-end'), edge('d', 'end', { isDefault: true }), edge('d', 'sew', details)],
      });
    const condition: Condition = { groups: [[{ type: 'token_property', field: 'qty', op: '>', value: 5 }]] };
    const nonsense: Condition = { groups: [[{ type: 'token_property', field: 'colour', op: '>', value: 5 }]] };
    expect(of({ type: 'conditional', condition })).toEqual([]);
    expect(of({ type: 'conditional', condition: nonsense })).toEqual(['condition-invalid d>sew']);
    expect(of({ type: 'conditional' })).toEqual(['condition-invalid d>sew']);
    expect(of({ type: 'normal', condition })).toEqual(['condition-invalid d>sew']);
    expect(of({ type: 'normal', condition: { groups: [[{ type: 'default' }]] } })).toEqual([]);
  });
});

describe('parts of parts of parts', () => {
  /** Splits one inside the other, each with a join of its own. */
  function nest(levels: number): Design {
    const numbers = Array.from({ length: levels }, (_, n) => n);
    return {
      nodes: [
        start,
        end,
        node('core', 'operation'),
        ...numbers.flatMap((n) => [node(`s${n}`, 'split'), node(`o${n}`, 'operation'), node(`j${n}`, 'join')]),
      ],
      edges: path(
        `start-${numbers.map((n) => `s${n}`).join('-')}-core-${numbers
          .toReversed()
          .map((n) => `j${n}`)
          .join('-')}-end`,
        ...numbers.map((n) => `s${n}-o${n}-j${n}`),
      ),
    };
  }

  it('are made up to three levels deep without a word', () => {
    expect(findings(nest(3))).toEqual([]);
  });

  it('are warned of when they go deeper, which stops nothing', () => {
    expect(checkGraph(nest(4), known)).toMatchObject([{ code: 'nesting-deep', severity: 'warning', node: 's3' }]);
  });
});
