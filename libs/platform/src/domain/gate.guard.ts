import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { gateContext } from '../auth/gate-context.js';
import { RUNTIME, type Runtime } from '../runtime.js';
import { WritesStopped } from './gate.problems.js';
import { Passages } from './passages.js';

/** Stands before sign-in: what is off is off for everybody, whoever they are. */
@Injectable()
export class GateGuard implements CanActivate {
  constructor(
    private readonly passages: Passages,
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const passage = this.passages.of(context);
    this.passages.check(passage);
    if (passage.writes && !passage.allowedWhenReadOnly && !this.runtime.gate.writesAllowed()) throw new WritesStopped();
    if (passage.domain) this.runtime.presence.requested(passage.domain.name);
    return true;
  }
}

/** Stands behind sign-in: what is rolled out gradually is off for those whose turn has not come. */
@Injectable()
export class CallerGateGuard implements CanActivate {
  constructor(private readonly passages: Passages) {}

  canActivate(context: ExecutionContext): boolean {
    const passage = this.passages.of(context);
    if (!this.passages.isGradual(passage)) return true;
    const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
    this.passages.check(passage, caller ? gateContext(caller) : {});
    return true;
  }
}
