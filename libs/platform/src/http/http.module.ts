import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { AccessGuard } from '../auth/access.guard.js';
import { OidcTokens } from '../auth/oidc-tokens.js';
import { Sessions } from '../auth/sessions.js';
import { CallerGateGuard, GateGuard } from '../domain/gate.guard.js';
import { Passages } from '../domain/passages.js';
import { ProblemFilter } from '../problem/problem.filter.js';
import { Admission } from './admission.js';
import { EventStreams } from './event-streams.js';
import { InputGuard } from './input.guard.js';
import { Routes } from './routes.js';

/** What every request passes, in this order: the gate, access, the gate for this caller, its inputs; whatever is thrown becomes a problem. */
@Global()
@Module({
  providers: [
    Routes,
    Passages,
    Sessions,
    OidcTokens,
    Admission,
    EventStreams,
    { provide: APP_GUARD, useClass: GateGuard },
    { provide: APP_GUARD, useClass: AccessGuard },
    { provide: APP_GUARD, useClass: CallerGateGuard },
    { provide: APP_GUARD, useClass: InputGuard },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
  exports: [Routes, Sessions, EventStreams],
})
export class HttpModule {}
