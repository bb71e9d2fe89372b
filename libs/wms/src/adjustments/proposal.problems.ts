import { Conflict, NotFound } from '@belay/platform';

export class ApprovalNeeded extends Conflict {
  readonly slug = 'approval-needed';
  readonly title = 'A second person must approve it';

  constructor(units: bigint, approvalUnits: number) {
    super(`Adjustments of more than ${approvalUnits} units are proposed first: POST /api/wms/adjustment-proposals.`, {
      units: Number(units),
      approvalUnits,
    });
  }
}

export class ProposalNotFound extends NotFound {
  readonly slug = 'adjustment-proposal-not-found';
  readonly title = 'There is no such proposal';

  constructor(proposalId: string) {
    super('No proposal that you may see has this id.', { proposalId });
  }
}

export class ProposalDecided extends Conflict {
  readonly slug = 'adjustment-proposal-decided';
  readonly title = 'The proposal was decided about';

  constructor(proposalId: string, status: string) {
    super(`The proposal is ${status}.`, { proposalId, status });
  }
}
