import { Body, Controller, Delete, Get, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, listOf, Requires, SignedIn, type Caller, type List } from '@belay/platform';
import { id } from '../directory.contract.js';
import {
  certifySkill,
  skillCode,
  skillFilter,
  skillView,
  type CertifySkill,
  type SkillFilter,
  type SkillView,
} from './skill.contract.js';
import { SkillService } from './skill.service.js';

@ApiTags('directory')
@Controller('directory/accounts/:id/skills')
export class SkillController {
  constructor(private readonly skills: SkillService) {}

  @Get()
  @SignedIn()
  @Endpoint('List the skills of a person', {
    returns: listOf(skillView),
    problems: ['404 account-not-found'],
    description: 'One’s own, those of the team one leads, or with directory.skill:read.',
  })
  list(
    @By() by: Caller,
    @Param('id', { schema: id }) account: string,
    @Query({ schema: skillFilter }) query: SkillFilter,
  ): Promise<List<SkillView>> {
    return this.skills.list(by, account, query);
  }

  @Put(':skill')
  @Requires('directory.skill:write')
  @Endpoint('Certify a skill', { returns: skillView, problems: ['404 account-not-found', '409 account-left'] })
  certify(
    @By() by: Caller,
    @Param('id', { schema: id }) account: string,
    @Param('skill', { schema: skillCode }) skill: string,
    @Body({ schema: certifySkill }) body: CertifySkill,
  ): Promise<SkillView> {
    return this.skills.certify(by, account, skill, body);
  }

  @Delete(':skill')
  @Requires('directory.skill:write')
  @Endpoint('Withdraw a skill', { problems: ['404 account-not-found', '404 skill-not-found', '409 account-left'] })
  withdraw(
    @By() by: Caller,
    @Param('id', { schema: id }) account: string,
    @Param('skill', { schema: skillCode }) skill: string,
  ): Promise<void> {
    return this.skills.withdraw(by, account, skill);
  }
}
