import { NotFound } from '@belay/platform';

export class TeamNotFound extends NotFound {
  readonly slug = 'team-not-found';
  readonly title = 'There is no such team';

  constructor(teamId: string) {
    super('No team that you may see has this id.', { teamId });
  }
}

export class MemberNotFound extends NotFound {
  readonly slug = 'member-not-found';
  readonly title = 'There is no such member';

  constructor(teamId: string, accountId: string) {
    super('The account is not in the team.', { teamId, accountId });
  }
}
