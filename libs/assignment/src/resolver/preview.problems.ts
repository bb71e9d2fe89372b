import { NotFound } from '@belay/platform';

export class TokenNotFound extends NotFound {
  readonly slug = 'token-not-found';
  readonly title = 'There is no such token';

  constructor(tokenId: string) {
    super('No token that lives and that you may see has this id.', { tokenId });
  }
}

export class NodeNotFound extends NotFound {
  readonly slug = 'node-not-found';
  readonly title = 'There is no such node';

  constructor(node: { readonly nodeId: string } | { readonly graphId: string; readonly nodeCode: string | null }) {
    super('The version in question has no such node.', node);
  }
}

export class JobNotFound extends NotFound {
  readonly slug = 'job-not-found';
  readonly title = 'There is no such job ticket';

  constructor(jobTicketId: string) {
    super('No job ticket that you may see has this id.', { jobTicketId });
  }
}
