import { Injectable } from '@nestjs/common';
import { InvalidRequest, PermissionMissing, type Caller } from '@belay/platform';
import type { FormField } from '../graphs/graph.rules.js';
import type { NodeAction } from '../graphs/node-type.rules.js';
import { Commands, type Command, type Device, type LockedToken } from '../production.command.js';
import { NotAssignee, TokenState } from '../production.problems.js';
import type { NodeToAssign } from '../work/assignment-policy.contract.js';
import { AssignmentRows } from '../work/assignment-rows.service.js';
import { deviceOf } from '../work/device.rules.js';
import { SUPERVISE, WORK, WorkAccess } from '../work/work-access.service.js';
import { WorkSessions } from '../work/work-sessions.service.js';
import { Journey } from './journey.rules.js';
import { Routing } from './routing.service.js';
import type { ApproveStep, CompleteStep, StepView, SubmitForm } from './step.contract.js';
import { StepViews } from './step-view.service.js';
import type { Traveller } from './traveller.rules.js';

interface Step {
  readonly command: Command;
  readonly token: LockedToken;
  readonly node: NodeToAssign;
}

interface Asked {
  readonly rowVersion?: number | undefined;
  readonly device?: { readonly seq?: number | undefined; readonly time?: string | undefined } | undefined;
}

/** People finish what they do at a node, and the token goes on. */
@Injectable()
export class StepService {
  constructor(
    private readonly access: WorkAccess,
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly routing: Routing,
    private readonly sessions: WorkSessions,
    private readonly views: StepViews,
  ) {}

  /** By whoever works on it, also while they pause; a supervisor may end it for them. */
  complete(by: Caller, tokenId: string, asked: CompleteStep): Promise<StepView> {
    return this.step(by, tokenId, 'complete', asked, async (step, journey, token) => {
      if (step.token.status !== 'active' && step.token.status !== 'paused') throw new TokenState(step.token);
      const seconds = await this.finish(step);
      token.become('ready');
      token.tell('NODE_COMPLETE', seconds);
      token.mark({ completed: true });
    });
  }

  /** What was filled in decides where the token goes. By whoever holds the role of the form; without one, by whose it is. */
  form(by: Caller, tokenId: string, asked: SubmitForm): Promise<StepView> {
    return this.step(by, tokenId, 'form', asked, async ({ command, token: locked, node }, journey, token) => {
      if (locked.status !== 'ready') throw new TokenState(locked);
      requireRole(by, node.formRole);
      checkForm(node.formSchema?.fields ?? [], asked.values);
      const before = token.metadata['forms'];
      const forms = { ...(typeof before === 'object' ? before : {}), [node.code]: asked.values };
      token.set({ metadata: { ...token.metadata, forms } });
      const [assignment] = await this.assignments.completeOpen(command, [locked.id]);
      if (node.formRole === null) await this.access.refuseOthers(command, locked, node.id, assignment);
      token.tell('NODE_COMPLETE', { values: asked.values });
      token.mark({ completed: true });
    });
  }

  /** By whoever holds the role, whomever it was given to. */
  approve(by: Caller, tokenId: string, asked: ApproveStep): Promise<StepView> {
    return this.step(by, tokenId, 'approve', asked, async ({ command, token: locked, node }, journey, token) => {
      if (locked.status !== 'ready') throw new TokenState(locked);
      requireRole(by, node.waitRule?.kind === 'approval' ? node.waitRule.role : null);
      await this.assignments.completeOpen(command, [locked.id]);
      token.tell('NODE_COMPLETE', { approved: true, note: asked.note ?? null });
      token.mark({ completed: true });
    });
  }

  private step(
    by: Caller,
    tokenId: string,
    action: NodeAction & ('complete' | 'form' | 'approve'),
    asked: Asked,
    work: (step: Step, journey: Journey, token: Traveller) => Promise<void>,
  ): Promise<StepView> {
    const device: Device | undefined = deviceOf(asked.device);
    return this.commands.onToken(by, tokenId, { cause: action, hold: 'route', device }, async (command, token) => {
      this.access.admit(by, WORK, token, asked.rowVersion);
      const node = await this.access.nodeFor(command, token, action);
      const journey = new Journey(token);
      const traveller = journey.join(token);
      await work({ command, token, node }, journey, traveller);
      traveller.keep();
      await this.routing.run(command, journey, { onward: [traveller] });
      return this.views.of(command, journey, token);
    });
  }

  /** Ends the work on the token; only whose it is may, or who supervises. */
  private async finish({ command, token }: Step): Promise<Readonly<Record<string, unknown>>> {
    const [assignment] = await this.assignments.completeOpen(command, [token.id]);
    const { by } = command;
    if (assignment?.operatorId !== by.accountId && !by.may(SUPERVISE, token.siteId)) {
      const { teamId = null, operatorId = null } = assignment ?? {};
      throw new NotAssignee({ teamId, operatorId }, ['assist', 'replace']);
    }
    return { ...(await this.sessions.finish(command, [token.id])).get(token.id) };
  }
}

function requireRole(by: Caller, role: string | null): void {
  if (role !== null && !by.roles.includes(role)) throw new PermissionMissing(`role ${role}`);
}

function checkForm(fields: readonly FormField[], values: SubmitForm['values']): void {
  const errors = [
    ...fields.flatMap((field) => {
      const fault = faultOf(field, values[field.name]);
      return fault === null ? [] : [{ pointer: `#/values/${field.name}`, detail: fault }];
    }),
    ...Object.keys(values)
      .filter((name) => !fields.some((field) => field.name === name))
      .map((name) => ({ pointer: `#/values/${name}`, detail: 'is not asked for' })),
  ];
  if (errors.length > 0) throw new InvalidRequest(errors);
}

const kinds = { text: 'string', number: 'number', choice: 'string', yes_no: 'boolean' } as const;

function faultOf({ type, required, options }: FormField, value: string | number | boolean | undefined): string | null {
  if (value === undefined) return required ? 'must be given' : null;
  if (typeof value !== kinds[type]) return `must be a ${type.replace('_', ' or ')}`;
  return type === 'choice' && !options.some((option) => option === value)
    ? `must be one of ${options.join(', ')}`
    : null;
}
