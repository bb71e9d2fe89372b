import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { PolicyRegister } from '@belay/production';
import { ResolverPolicy } from './resolver/resolver-policy.service.js';

/** Has production ask us whom to give work to, for as long as the module is there; graph by graph the flags decide. */
@Injectable()
export class PolicyRegistration implements OnModuleInit, OnModuleDestroy {
  #leave: (() => void) | undefined;

  constructor(
    private readonly register: PolicyRegister,
    private readonly policy: ResolverPolicy,
  ) {}

  onModuleInit(): void {
    this.#leave = this.register.use(this.policy);
  }

  onModuleDestroy(): void {
    this.#leave?.();
  }
}
