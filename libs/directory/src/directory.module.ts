import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Accounts, PasswordSignIn } from '@belay/platform';
import { AccountController } from './accounts/account.controller.js';
import { Account } from './accounts/account.entity.js';
import { AccountLookup } from './accounts/account-lookup.service.js';
import { AccountPermission } from './accounts/account-permission.entity.js';
import { AccountRole } from './accounts/account-role.entity.js';
import { AccountService } from './accounts/account.service.js';
import { AdminService } from './accounts/admin.service.js';
import { RoleService } from './accounts/role.service.js';
import { DirectoryReader } from './directory.reader.js';
import { Consent } from './people/consent.entity.js';
import { ConsentService } from './people/consent.service.js';
import { PersonService } from './people/person.service.js';
import { CredentialService } from './sessions/credential.service.js';
import { MeService } from './sessions/me.service.js';
import { PasswordProof } from './sessions/password-proof.service.js';
import { PasswordService } from './sessions/password.service.js';
import { RefreshToken } from './sessions/refresh-token.entity.js';
import { SessionController } from './sessions/session.controller.js';
import { SessionService } from './sessions/session.service.js';
import { Shift } from './sites/shift.entity.js';
import { SiteController } from './sites/site.controller.js';
import { Site } from './sites/site.entity.js';
import { SiteService } from './sites/site.service.js';
import { OperatorSkill } from './skills/operator-skill.entity.js';
import { SkillController } from './skills/skill.controller.js';
import { SkillService } from './skills/skill.service.js';
import { MemberService } from './teams/member.service.js';
import { TeamController } from './teams/team.controller.js';
import { Team } from './teams/team.entity.js';
import { TeamMember } from './teams/team-member.entity.js';
import { TeamService } from './teams/team.service.js';
import { ApiToken } from './tokens/api-token.entity.js';
import { TokenController } from './tokens/token.controller.js';
import { TokenService } from './tokens/token.service.js';

const entities = [
  Account,
  AccountPermission,
  AccountRole,
  ApiToken,
  Consent,
  OperatorSkill,
  RefreshToken,
  Shift,
  Site,
  Team,
  TeamMember,
];

/** Global, because the platform asks it on every request who is calling. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature(entities)],
  controllers: [SessionController, AccountController, TokenController, SkillController, SiteController, TeamController],
  providers: [
    { provide: Accounts, useClass: AccountLookup },
    { provide: PasswordSignIn, useClass: PasswordProof },
    AccountService,
    AdminService,
    ConsentService,
    CredentialService,
    DirectoryReader,
    MemberService,
    MeService,
    PasswordService,
    PersonService,
    RoleService,
    SessionService,
    SiteService,
    SkillService,
    TeamService,
    TokenService,
  ],
  exports: [Accounts, DirectoryReader, PasswordSignIn],
})
export class DirectoryModule {}
