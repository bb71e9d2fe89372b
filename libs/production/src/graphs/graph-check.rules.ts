import { faultOf, saysDefault } from './condition.rules.js';
import { carriesOn, endsApart, type Design, type DesignedEdge, type DesignedNode } from './graph.rules.js';
import { circling, inOrder, passedAnyway, reached, stepsOf, type Steps } from './graph-walk.rules.js';

export const findingCodes = [
  'node-code-taken',
  'node-unknown',
  'start-node-count',
  'start-edge-count',
  'end-node-count',
  'cycle-detected',
  'unreachable-node',
  'dead-end-node',
  'split-edges-insufficient',
  'split-without-join',
  'join-edges-insufficient',
  'join-quorum-invalid',
  'decision-no-default',
  'qc-rework-edge-required',
  'ratio-weights',
  'missing-team-category',
  'invalid-team-reference',
  'invalid-work-center',
  'wait-rule-invalid',
  'condition-invalid',
  'nesting-deep',
] as const;

export interface GraphFinding {
  readonly code: (typeof findingCodes)[number];
  /** `structure`: cannot even be saved; `error`: cannot be published. */
  readonly severity: 'structure' | 'error' | 'warning';
  /** The place in the draft, as a JSON pointer. */
  readonly pointer: string;
  /** The code of the node it is about. */
  readonly node: string | null;
  readonly edge: { readonly from: string; readonly to: string } | null;
  readonly detail: string;
}

/** What of a design's references there is: ids of teams and work centres in use. */
interface KnownPlaces {
  readonly teams: ReadonlySet<string>;
  readonly workCenters: ReadonlySet<string>;
}

const DEEPEST_NESTING = 3;
/** Weights are decimals, and .7 + .2 + .1 is not quite 1. */
const WEIGHT_TOLERANCE = 1e-6;

/** All that is wrong with a design. The one validator: saving, publishing and looking all ask it. */
export function checkGraph(design: Design, known: KnownPlaces): GraphFinding[] {
  const structure = checkStructure(design);
  const found = structure.length > 0 ? structure : new GraphCheck(design, known).findings();
  return found.map(({ edge, ...rest }) => ({
    ...rest,
    pointer: pointerTo(design, rest.node, edge),
    edge: edge && { from: edge.from, to: edge.to },
  }));
}

/** What was found, before its place in the draft is looked up. */
type Found = Omit<GraphFinding, 'pointer' | 'edge'> & { readonly edge: DesignedEdge | null };

function pointerTo({ nodes, edges }: Design, code: string | null, edge: DesignedEdge | null): string {
  if (edge) return `#/edges/${edges.indexOf(edge)}`;
  return code === null ? '#' : `#/nodes/${nodes.findLastIndex((node) => node.code === code)}`;
}

/** Without these two a design is no graph. */
function checkStructure({ nodes, edges }: Design): Found[] {
  const codes = new Set(nodes.map(({ code }) => code));
  const taken = nodes
    .filter(({ code }, n) => nodes.findIndex((other) => other.code === code) !== n)
    .map(({ code }) => finding('structure', 'node-code-taken', code, `Two nodes have the code ${code}.`));
  const unknown = (node: string | null, edge: DesignedEdge | null, code: string) =>
    finding('structure', 'node-unknown', node, `There is no node ${code}.`, edge);
  const ends = edges.flatMap((edge) =>
    [edge.from, edge.to].filter((code) => !codes.has(code)).map((code) => unknown(null, edge, code)),
  );
  const named = nodes.flatMap((node) =>
    [...(node.timeoutNodeCode === null ? [] : [node.timeoutNodeCode]), ...Object.values(node.reasonMap ?? {})]
      .filter((code) => !codes.has(code))
      .map((code) => unknown(node.code, null, code)),
  );
  return [...taken, ...ends, ...named];
}

class GraphCheck {
  readonly #found: Found[] = [];
  readonly #codes: readonly string[];
  readonly #steps: Steps;
  /** Null: the graph goes round in a circle. */
  readonly #ordered: readonly string[] | null;

  constructor(
    private readonly design: Design,
    private readonly known: KnownPlaces,
  ) {
    this.#codes = design.nodes.map(({ code }) => code);
    this.#steps = stepsOf(design.edges.filter(carriesOn));
    this.#ordered = inOrder(this.#codes, this.#steps);
  }

  findings(): Found[] {
    this.checkEnds();
    this.checkWays();
    for (const node of this.design.nodes) {
      this.checkNode(node);
      this.checkPlaces(node);
    }
    for (const edge of this.design.edges) this.checkEdge(edge);
    this.checkNesting();
    return this.#found;
  }

  private checkEnds(): void {
    const starts = this.ofType('start');
    const ends = this.ofType('end');
    if (starts.length !== 1)
      this.error('start-node-count', null, `There are ${starts.length} start nodes instead of one.`);
    if (ends.length === 0) this.error('end-node-count', null, 'There is no end node.');
    for (const { code } of starts) {
      const out = this.onward(code).length;
      if (out !== 1) this.error('start-edge-count', code, `${out} edges leave the start instead of one.`);
    }
  }

  private checkWays(): void {
    if (!this.#ordered) {
      const codes = circling(this.#codes, this.#steps);
      for (const code of codes) this.error('cycle-detected', code, `From ${code} work comes back to it.`);
    }
    const there = reached(
      this.#steps,
      this.ofType('start').map(({ code }) => code),
    );
    for (const node of this.design.nodes) {
      const { code } = node;
      const ends = node.type === 'end' || node.type === 'rework_sink';
      if (!there.has(code) && node.type !== 'start' && !(endsApart(node) && this.isEntered(node))) {
        this.error('unreachable-node', code, `No normal or conditional edge leads from the start to ${code}.`);
      }
      if (!ends && this.onward(code).length === 0) this.error('dead-end-node', code, `No edge leads on from ${code}.`);
    }
  }

  /** Apart from the usual way work comes along rework edges and events, and when a join has waited too long. */
  private isEntered({ code }: DesignedNode): boolean {
    const timeout = this.design.nodes.some(({ timeoutNodeCode }) => timeoutNodeCode === code);
    return timeout || this.design.edges.some(({ to }) => to === code);
  }

  private checkNode(node: DesignedNode): void {
    const onward = this.onward(node.code);
    switch (node.type) {
      case 'operation':
        if (node.teamCategory === null && node.workCenterId === null) {
          this.error('missing-team-category', node.code, 'An operation has a team category or a work centre.');
        }
        return;
      case 'split':
        this.checkSplit(node, onward);
        return;
      case 'join':
        this.checkJoin(node);
        return;
      case 'wait':
        if (onward.length !== 1) this.error('wait-rule-invalid', node.code, 'Exactly one edge leads on from a wait.');
        if (!isUsable(node.waitRule))
          this.error('wait-rule-invalid', node.code, 'The wait needs a rule with figures above zero.');
        return;
      case 'decision':
        this.checkChoice(node, onward);
        return;
      case 'qc':
        this.checkChoice(node, onward);
        if (
          node.qcPolicy?.requireReworkEdge === true &&
          !this.reworkEdges(node.code).some(({ condition }) => !condition)
        ) {
          this.error('qc-rework-edge-required', node.code, 'A rework edge without a condition must lead back.');
        }
        return;
      default:
    }
  }

  private checkSplit(node: DesignedNode, onward: readonly DesignedEdge[]): void {
    if (onward.length < 2) this.error('split-edges-insufficient', node.code, 'At least two edges leave a split.');
    if (node.splitPolicy === 'RATIO') {
      const weights = onward.map(({ weight }) => weight ?? 0);
      const sum = weights.reduce((one, other) => one + other, 0);
      if (weights.some((weight) => weight <= 0) || Math.abs(sum - 1) > WEIGHT_TOLERANCE) {
        this.error('ratio-weights', node.code, `The weights are above zero and sum to 1, not to ${sum}.`);
      }
    }
    if (node.splitKind === 'COMPONENT' && this.#ordered && !this.joinOf(node.code)) {
      this.error('split-without-join', node.code, 'The parts of a piece need a join that all of them come to.');
    }
  }

  private checkJoin(node: DesignedNode): void {
    const inputs = this.design.edges.filter((edge) => carriesOn(edge) && edge.to === node.code).length;
    if (inputs < 2) this.error('join-edges-insufficient', node.code, 'At least two edges lead to a join.');
    if (node.joinType !== 'N_OF_M') return;
    const quorum = node.joinQuorum ?? 0;
    if (quorum < 1 || quorum > inputs) {
      this.error('join-quorum-invalid', node.code, `The quorum is from 1 to ${inputs}, the branches there are.`);
    }
  }

  private checkChoice(node: DesignedNode, onward: readonly DesignedEdge[]): void {
    const isChoice = onward.length > 1 || onward.some(({ condition }) => condition !== null);
    if (isChoice && !onward.some(isDefault)) {
      this.error('decision-no-default', node.code, 'One of the edges must be the default.');
    }
  }

  private checkPlaces(node: DesignedNode): void {
    const { code, workCenterId, preferredTeamId, allowedTeamIds, forbiddenTeamIds } = node;
    const preferred = preferredTeamId === null ? [] : [preferredTeamId];
    for (const team of new Set([...preferred, ...allowedTeamIds, ...forbiddenTeamIds])) {
      if (!this.known.teams.has(team)) this.error('invalid-team-reference', code, `There is no active team ${team}.`);
    }
    for (const team of [...preferred, ...allowedTeamIds].filter((one) => forbiddenTeamIds.includes(one))) {
      this.error('invalid-team-reference', code, `The team ${team} is forbidden there as well.`);
    }
    if (workCenterId !== null && !this.known.workCenters.has(workCenterId)) {
      this.error('invalid-work-center', code, `There is no active work centre ${workCenterId}.`);
    }
  }

  private checkEdge(edge: DesignedEdge): void {
    const { condition, type } = edge;
    const wrong = (detail: string) => {
      this.#found.push(finding('error', 'condition-invalid', null, detail, edge));
    };
    if (condition === null) {
      if (type === 'conditional' && !edge.isDefault) wrong('A conditional edge needs a condition, or is the default.');
      return;
    }
    const fault = faultOf(condition);
    if (fault !== null) wrong(`The condition means nothing: ${fault}.`);
    else if (type === 'normal' && !saysDefault(condition))
      wrong('An edge with a condition is conditional, not normal.');
  }

  private checkNesting(): void {
    if (!this.#ordered) return;
    const components = this.ofType('split').filter(({ code, splitKind }) => splitKind !== 'FORK' && this.joinOf(code));
    const inside = new Map(components.map(({ code }) => [code, this.between(code)]));
    for (const { code } of components) {
      const depth = [...inside.values()].filter((codes) => codes.has(code)).length + 1;
      if (depth > DEEPEST_NESTING) {
        this.#found.push(finding('warning', 'nesting-deep', code, `Parts are made of parts ${depth} levels deep.`));
      }
    }
  }

  /** What stands between a split and its join. */
  private between(split: string): Set<string> {
    const join = this.joinOf(split);
    const after = reached(this.#steps, this.#steps.get(split) ?? []);
    return join === undefined ? after : without(after, reached(this.#steps, [join]));
  }

  private joinOf(split: string): string | undefined {
    const apart = new Set(this.design.nodes.filter(endsApart).map(({ code }) => code));
    const [next] = passedAnyway(this.#ordered ?? [], this.#steps, split, apart);
    return this.ofType('join').find(({ code }) => code === next)?.code;
  }

  private ofType(type: DesignedNode['type']): DesignedNode[] {
    return this.design.nodes.filter((node) => node.type === type);
  }

  private onward(code: string): DesignedEdge[] {
    return this.design.edges.filter((edge) => carriesOn(edge) && edge.from === code);
  }

  private reworkEdges(code: string): DesignedEdge[] {
    return this.design.edges.filter(({ from, type }) => from === code && type === 'rework');
  }

  private error(code: GraphFinding['code'], node: string | null, detail: string): void {
    this.#found.push(finding('error', code, node, detail));
  }
}

function finding(
  severity: GraphFinding['severity'],
  code: GraphFinding['code'],
  node: string | null,
  detail: string,
  edge: DesignedEdge | null = null,
): Found {
  return { code, severity, node, edge, detail };
}

function isDefault(edge: DesignedEdge): boolean {
  return edge.isDefault || (edge.condition !== null && saysDefault(edge.condition));
}

function isUsable(rule: DesignedNode['waitRule']): boolean {
  switch (rule?.kind) {
    case 'time':
      return rule.minutes > 0;
    case 'batch':
      return rule.minBatch > 0;
    case 'approval':
      return rule.role !== '';
    default:
      return false;
  }
}

function without(nodes: ReadonlySet<string>, others: ReadonlySet<string>): Set<string> {
  return new Set([...nodes].filter((node) => !others.has(node)));
}
