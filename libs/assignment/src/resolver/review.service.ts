import { Injectable } from '@nestjs/common';
import { Database, type Caller } from '@belay/platform';
import { READ_LOG } from '../log/log.service.js';
import { PeopleScope } from '../people-scope.service.js';
import { Attendances } from '../state/attendances.service.js';
import { replayAll } from './replay.rules.js';
import type { AgreementQuery, AgreementView, ReplayQuery, ReplayView } from './review.contract.js';
import { agreementOf, coverageOf, madeChoices, queuedMinutes } from './review.queries.js';

const MOST_CHOICES = 5_000;
const WEEK_MS = 7 * 24 * 60 * 60_000;

/** What the log says of how well people are chosen. */
@Injectable()
export class ReviewService {
  constructor(
    private readonly attendances: Attendances,
    private readonly database: Database,
    private readonly scope: PeopleScope,
  ) {}

  /** How often people gave the work to whom the automatic choice would have taken, while it was only logged. */
  async agreement(by: Caller, query: AgreementQuery): Promise<AgreementView> {
    const { from, until } = await this.span(query);
    const sites = this.scope.sites(by, READ_LOG);
    const [counted] = await agreementOf(this.database.dataSource, [sites, query.graphId ?? null, from, until]);
    const { choices = 0, given = 0, agreed = 0 } = counted ?? {};
    const ratio = given === 0 ? null : agreed / given;
    return { from: from.toISOString(), until: until.toISOString(), choices, given, agreed, ratio };
  }

  /**
   * What another strategy would have made of the choices there were. A strategy says who of those who could, and not
   * whether anybody could: what nobody could do then, nobody could now.
   */
  async replay(by: Caller, { strategy, ...query }: ReplayQuery): Promise<ReplayView> {
    const { from, until } = await this.span(query);
    const asked = [this.scope.sites(by, READ_LOG), query.graphId ?? null, from, until];
    const on = this.database.dataSource;
    const { backlog, ...replay } = replayAll(await madeChoices(on, [...asked, MOST_CHOICES]), strategy);
    const [covered] = await coverageOf(on, asked);
    const [queued] = await queuedMinutes(on, asked);
    const { decisions = 0, given = 0, logged = 0 } = covered ?? {};
    const share = (some: number) => (decisions === 0 ? null : some / decisions);
    return {
      from: from.toISOString(),
      until: until.toISOString(),
      strategy,
      ...replay,
      coverage: { decisions, then: share(given), now: share(given + logged) },
      wait: { queued: { tokens: queued?.tokens ?? 0, minutes: queued?.minutes ?? null }, backlog },
    };
  }

  private async span({ from, until }: AgreementQuery): Promise<{ from: Date; until: Date }> {
    const end = until === undefined ? await this.attendances.time(this.database.dataSource) : new Date(until);
    return { from: from === undefined ? new Date(end.getTime() - WEEK_MS) : new Date(from), until: end };
  }
}
