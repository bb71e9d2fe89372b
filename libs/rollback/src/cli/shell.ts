import { randomUUIDv7 } from 'node:crypto';
import { userInfo } from 'node:os';
import {
  AuditTrail,
  Caller,
  ControlDatabase,
  PermissionMissing,
  Problem,
  type CommandHost,
  type OpenHost,
} from '@belay/platform';
import type { Type } from '@nestjs/common';
import { Command } from 'commander';
import { actorOf, auditActor, hostActor, type Actor } from '../engine/actor.js';
import { World } from '../engine/world.js';
import { MachinesNeverApprove } from '../plans/plan.problems.js';
import type { Transact } from '../plans/plans.service.js';
import { RollbackControlModule } from '../rollback-control.module.js';
import { RollbackCoreModule } from '../rollback-core.module.js';
import { codeOfProblem, exitCodes, type ExitCode } from './exit-code.rules.js';
import { waysOf } from './text.rules.js';

/** The second person's part, which the user of a machine is not. */
const APPROVE = 'rollback:approve';

/** What a command answers: to people, to programs, and by the exit code. */
export interface Told {
  readonly text: string;
  readonly json: unknown;
  readonly code?: ExitCode;
}

export interface Common {
  readonly json?: true;
  readonly as?: string;
  readonly reason?: string;
}

/** How commands begin, are told and end; the same for all of them. */
export class Shell {
  constructor(readonly host: CommandHost) {}

  /** Holds commands, and does nothing by itself. */
  group(name: string, description: string): Command {
    return new Command(name).description(description);
  }

  command(name: string, description: string): Command {
    return new Command(name).description(description).option('--json', 'print one JSON document');
  }

  /** One that does something: it says in whose name. */
  act(name: string, description: string): Command {
    return this.command(name, description).option(
      '--as <username>',
      'in whose name; the password is asked for, or taken from BELAY_PASSWORD. Else the user of this machine',
    );
  }

  /** `here`: with an executor in this process, beside those of the workers. */
  async run(flags: Common, work: (session: Session) => Promise<Told>, { here = false } = {}): Promise<void> {
    let told: Told;
    try {
      const opened = await this.host.open(here ? RollbackControlModule : RollbackCoreModule);
      const session = new Session(this.host, opened, flags);
      try {
        told = await work(session);
      } finally {
        await session.close();
      }
    } catch (error) {
      told = this.refusal(error);
    }
    this.tell(flags, told);
  }

  private refusal(error: unknown): Told {
    if (!(error instanceof Problem)) {
      const detail = this.host.explain(error);
      return { text: `✗ ${detail}`, json: { problem: { detail } }, code: exitCodes.error };
    }
    const { slug, title, detail, members } = error;
    return {
      text: [`✗ ${title}. ${detail}`, ...waysOf(members['recovery'])].join('\n'),
      json: { problem: { ...members, code: slug, title, detail } },
      code: codeOfProblem(slug, members),
    };
  }

  private tell({ json }: Common, { text, json: document, code = exitCodes.ok }: Told): void {
    this.host.print(json === true ? `${JSON.stringify(document, null, 2)}\n` : `${text}\n`);
    this.host.finish(code);
  }
}

/** One command at work: services, and who is acting. */
export class Session {
  #actor: Promise<Actor> | undefined;
  #executor: OpenHost | undefined;

  constructor(
    private readonly host: CommandHost,
    private readonly opened: OpenHost,
    private readonly flags: Common,
  ) {}

  get runtime(): OpenHost['runtime'] {
    return this.opened.runtime;
  }

  get world(): World {
    return this.get(World);
  }

  get<Service>(type: Type<Service>): Service {
    // Controllers of other modules are not meant.
    return this.opened.context.get(type, { strict: false });
  }

  /** From now on, and until the command ends, an executor stands by in this process. */
  async carryOut(): Promise<void> {
    this.#executor ??= await this.host.open(RollbackControlModule);
  }

  async close(): Promise<void> {
    await this.#executor?.close();
    await this.opened.close();
  }

  /** Whoever acts; throws, and has it remembered, when they may do nothing of the kind. */
  async actor(permission: string, ...others: readonly string[]): Promise<Actor> {
    this.#actor ??= this.whoActs();
    const actor = await this.#actor;
    if (actor.kind === 'host' && permission === APPROVE) throw new MachinesNeverApprove();
    if ([permission, ...others].some((one) => actor.may(one))) return actor;
    await this.get(AuditTrail).append({
      actor: auditActor(actor),
      action: 'denied',
      subject: permission,
      environment: this.runtime.config.NODE_ENV,
      reason: this.flags.reason,
      outcome: 'denied: permission-missing',
    });
    throw new PermissionMissing(permission);
  }

  /** As it was given, else as it is typed. What is too short is refused by whoever keeps it. */
  async reason(): Promise<string> {
    return this.flags.reason ?? (await this.ask('Why (at least 10 characters)? ')) ?? '';
  }

  /** Undefined when nobody sits there. */
  ask(question: string): Promise<string | undefined> {
    return this.flags.json === true ? Promise.resolve(undefined) : this.host.ask(question);
  }

  /** How far it is; nothing when the answer is for a program. */
  note(line: string): void {
    if (this.flags.json !== true) this.host.note(`${line}\n`);
  }

  /** One transaction of the control database. */
  readonly transact: Transact = (work) => this.get(ControlDatabase).transaction(Caller.system(randomUUIDv7()), work);

  private async whoActs(): Promise<Actor> {
    const { as: username } = this.flags;
    if (username === undefined) return hostActor(userInfo().username);
    const { id, ...facts } = await this.opened.signIn(username);
    const authTime = Math.floor(Date.now() / 1_000);
    return actorOf(new Caller({ ...facts, accountId: id, requestId: randomUUIDv7(), authTime }));
  }
}
