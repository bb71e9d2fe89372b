import { NotFound } from '@belay/platform';

export class SkillNotFound extends NotFound {
  readonly slug = 'skill-not-found';
  readonly title = 'There is no such skill';

  constructor(accountId: string, skillCode: string) {
    super('The account does not have this skill.', { accountId, skillCode });
  }
}
