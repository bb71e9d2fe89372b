/** Facts that directory announces. They carry ids, never names; bodies only ever gain fields. */
export interface AccountChanged {
  name: 'directory.account-changed';
  body: { accountId: string; kind: 'person' | 'machine'; status: 'active' | 'suspended' | 'left' };
}

export interface AccountDeactivated {
  name: 'directory.account-deactivated';
  body: { accountId: string };
}

export interface TeamChanged {
  name: 'directory.team-changed';
  /** `accountIds` are those who joined, left or changed their part in the team; empty when only the team did. */
  body: { teamId: string; siteId: string; active: boolean; accountIds: string[] };
}

export interface SiteChanged {
  name: 'directory.site-changed';
  body: { siteId: string; code: string; timeZone: string; active: boolean };
}
