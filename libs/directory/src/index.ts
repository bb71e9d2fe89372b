export { accountView, type AccountView } from './accounts/account.contract.js';
export type { AccountChanged, AccountDeactivated, SiteChanged, TeamChanged } from './directory.events.js';
export { directory } from './directory.manifest.js';
export {
  DirectoryReader,
  type KnownAccount,
  type KnownSite,
  type KnownTeam,
  type Member,
  type Membership,
} from './directory.reader.js';
export { personView, type PersonView } from './people/person.contract.js';
export { meView, sessionView, type MeView, type SessionView } from './sessions/session.contract.js';
export { shiftPlanView, siteView, type ShiftPlanView, type SiteView } from './sites/site.contract.js';
export type { LocalMoment, ShiftPeriod } from './sites/site.queries.js';
export { skillView, type SkillView } from './skills/skill.contract.js';
export { memberView, teamView, type MemberView, type TeamView } from './teams/team.contract.js';
export { issuedToken, tokenView, type IssuedToken, type TokenView } from './tokens/token.contract.js';
