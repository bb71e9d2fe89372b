import { Conflict, NotFound, Problem } from '@belay/platform';

export class OperatorNotFound extends NotFound {
  readonly slug = 'operator-not-found';
  readonly title = 'There is no such operator';

  constructor(operatorId: string) {
    super('Nobody whom you may see and who is in a team has this id.', { operatorId });
  }
}

export class TeamNotFound extends NotFound {
  readonly slug = 'team-not-found';
  readonly title = 'There is no such team';

  constructor(teamId: string) {
    super('No team that you may see has this id.', { teamId });
  }
}

/** The person is not there; whoever may overrule that confirms it. */
export class OperatorUnavailable extends Conflict {
  readonly slug = 'operator-unavailable';
  readonly title = 'The operator is not available';

  constructor(operatorId: string, facts: { reason: string; until: string | null; confirmable: boolean }) {
    super(`The operator is not available: ${facts.reason}.`, { operatorId, ...facts });
  }
}

/** Nobody works at the node, so nobody can be planned for it. */
export class NodeNotOperable extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'node-not-operable';
  readonly title = 'Nobody works at this node';

  constructor(nodeCode: string, nodeType: string | null) {
    const what =
      nodeType === null ? 'No published version of the graph has the node.' : `The node is of type ${nodeType}.`;
    super(what, { nodeCode, nodeType });
  }
}

export class TeamForbidden extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'team-forbidden';
  readonly title = 'The node is not for this team';

  constructor(teamId: string, nodeCode: string) {
    super('The lists of the node leave the team out.', { teamId, nodeCode });
  }
}

export class ModeMismatch extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'mode-mismatch';
  readonly title = 'The team works in another mode';

  constructor(teamId: string, facts: { nodeCode: string; teamMode: string; nodeMode: string }) {
    super(`The team is of mode ${facts.teamMode}, the node of mode ${facts.nodeMode}.`, { teamId, ...facts });
  }
}
