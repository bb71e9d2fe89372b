import { Injectable } from '@nestjs/common';
import { PermissionMissing, type Caller, type NotFound } from '@belay/platform';

/** Whoever may read jobs of a site knows what is there. */
const reading = 'production.job:read';

/** At which sites somebody may do what. Belay itself may everything, everywhere. */
@Injectable()
export class SiteScope {
  /** The parameter of `($1::uuid[] IS NULL OR site_id = ANY ($1))`; nobody sees anything by holding nothing. */
  sites(by: Caller, permission: string): readonly string[] | null {
    if (by.kind === 'system') return null;
    const held = by.sitesFor(permission);
    return held === 'all' ? null : held;
  }

  /** Throws what says that the thing is unknown unless the caller may read at its site. */
  see(by: Caller, siteId: string, unknown: () => NotFound): void {
    if (!holds(by, reading, siteId)) throw unknown();
  }

  /** For what is to begin at a site: who may not do it there is told which permission is missing. */
  require(by: Caller, permission: string, siteId: string): void {
    if (!holds(by, permission, siteId)) throw new PermissionMissing(permission);
  }

  /** As `see`, and who may only read is told which permission is missing. */
  admit(by: Caller, permission: string, siteId: string, unknown: () => NotFound): void {
    if (!holds(by, permission, siteId)) this.see(by, siteId, unknown);
    this.require(by, permission, siteId);
  }
}

function holds(by: Caller, permission: string, siteId: string): boolean {
  return by.kind === 'system' || by.may(permission, siteId);
}
