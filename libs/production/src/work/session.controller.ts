import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, listOf, Requires, SignedIn, type Caller, type List } from '@belay/platform';
import { id } from '../production.contract.js';
import { CorrectionService } from './correction.service.js';
import {
  correctSession,
  currentSessions,
  currentWork,
  sessionFilter,
  sessionView,
  type CorrectSession,
  type CurrentSessions,
  type CurrentWork,
  type SessionFilter,
  type SessionView,
} from './session.contract.js';
import { SessionService } from './session.service.js';

@ApiTags('production')
@Controller('production')
export class SessionController {
  constructor(
    private readonly corrections: CorrectionService,
    private readonly sessions: SessionService,
  ) {}

  @Get('sessions')
  @Requires('production.session:supervise')
  @Endpoint('Find work sessions', { returns: listOf(sessionView), description: 'Newest first.' })
  list(@By() by: Caller, @Query({ schema: sessionFilter }) query: SessionFilter): Promise<List<SessionView>> {
    return this.sessions.list(by, query);
  }

  @Get('sessions/current')
  @Requires('production.token:work')
  @Endpoint('Read what I work on', { returns: currentSessions })
  current(@By() by: Caller): Promise<CurrentSessions> {
    return this.sessions.current(by);
  }

  @Post('sessions/:id/correct')
  @Requires('production.session:supervise')
  @Endpoint('Correct a session', {
    returns: sessionView,
    idempotency: 'required',
    problems: ['404 session-not-found', '409 session-state', '409 token-state'],
  })
  correct(
    @By() by: Caller,
    @Param('id', { schema: id }) session: string,
    @Body({ schema: correctSession }) body: CorrectSession,
  ): Promise<SessionView> {
    return this.corrections.correct(by, session, body);
  }

  @Get('operators/:id/current-work')
  @SignedIn()
  @Endpoint('Read what an operator does', {
    returns: currentWork,
    problems: ['403 permission-missing', '404 operator-not-found'],
    description: 'Of oneself, or where one supervises.',
  })
  work(@By() by: Caller, @Param('id', { schema: id }) operator: string): Promise<CurrentWork> {
    return this.sessions.work(by, operator);
  }
}
