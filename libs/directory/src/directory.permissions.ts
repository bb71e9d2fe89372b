import type { Grant } from '@belay/platform';

/** What every role may see: the places, the plans and the stock, with names masked; never costs, customers or audits. */
const reading = [
  'directory.account:read',
  'directory.site:read',
  'directory.team:read',
  'directory.token:write',
  'people.operator:read',
  'production.graph:read',
  'production.job:read',
  'oem.ticket:read',
  'sop:read',
  'wms.master:read',
  'wms.inventory:read',
  'commerce.product:read',
  'rollback:read',
] as const;

const auditing = [
  'sop:audit',
  'sop:export',
  'dashboard.production:view',
  'wms.ops:read',
  'assignment.log:read',
] as const;

/** Everything that is about Belay itself and split over several people on purpose, so that admin has little of it. */
const changeControl = [
  'rollback:plan',
  'rollback:backup',
  'rollback:switch',
  'rollback:record',
  'rollback:approve',
  'rollback:execute',
  'rollback:emergency',
  'rollback:restore',
  'rollback:purge',
  'rollback.incident:write',
  'rollback.config:write',
  'rollback.audit:read',
  'rollback.audit:export',
  'rollout:advance',
  'rollout:experiment',
  'rollout:promote',
] as const;

const working = {
  operator: [
    'production.token:work',
    'assignment.leave:request',
    'oem.scan:write',
    'sop:execute',
    'commerce.customer:read',
    'commerce.sale:read',
    'commerce.sale:post',
  ],
  supervisor: [
    'directory.skill:read',
    'directory.skill:write',
    'people.operator:detail',
    'production.job:start',
    'production.token:work',
    'production.qc:decide',
    'production.token:scrap',
    'production.token:force',
    'production.session:supervise',
    'production.assignment:manage',
    'assignment.plan:read',
    'assignment.plan:write',
    'assignment.log:read',
    'assignment.workload:read',
    'assignment.availability:write',
    'assignment.availability:override',
    'oem.ticket:create',
    'oem.ticket:manage',
    'oem.scan:write',
    'oem.scan:override',
    'sop:execute',
    'dashboard.production:view',
    'wms.master:write',
    'wms.inventory:receive',
    'wms.inventory:ship',
    'wms.inventory:transfer',
    'wms.inventory:adjust',
    'wms.inventory:reverse',
    'wms.inventory:annotate',
    'wms.inventory:backdate',
    'wms.reservation:write',
    'wms.count:write',
    'wms.count:approve',
    'wms.import:run',
    'wms.export:run',
    'wms.ops:read',
    'commerce.customer:read',
    'commerce.customer:write',
    'commerce.sale:read',
    'commerce.sale:post',
    'commerce.sale:refund',
    'commerce.sale:void',
    'commerce.sale:account',
    'commerce.sale:override',
  ],
  planner: [
    'production.graph:write',
    'production.job:write',
    'assignment.plan:read',
    'assignment.plan:write',
    'assignment.workload:read',
    'dashboard.production:view',
  ],
  manager: [
    'directory.team:write',
    'directory.skill:read',
    'directory.skill:write',
    'people.operator:detail',
    'people.consent:write',
    'production.graph:write',
    'production.graph:publish',
    'production.job:write',
    'production.job:cancel',
    'production.limit:write',
    'assignment.plan:read',
    'assignment.plan:write',
    'assignment.log:read',
    'assignment.log:export',
    'assignment.workload:read',
    'assignment.leave:manage',
    'oem.rule:write',
    'oem.shadow:read',
    'sop:author',
    'sop:review',
    'sop:publish',
    'sop:execute',
    'sop:verify',
    'sop:assign',
    'sop:convert',
    'sop:train',
    'sop:export',
    'dashboard.production:view',
    'commerce.customer:read',
    'commerce.customer:write',
    'commerce.product:write',
    'commerce.sale:read',
    'commerce.sale:post',
    'commerce.sale:refund',
    'commerce.sale:refund-blind',
    'commerce.sale:void',
    'commerce.sale:account',
    'commerce.sale:backdate',
    'commerce.sale:override',
    'commerce.sale:override-tax',
    'commerce.register:write',
  ],
  qc: ['production.token:work', 'production.qc:decide', 'sop:execute'],
  warehouse: [
    'wms.inventory:receive',
    'wms.inventory:ship',
    'wms.inventory:transfer',
    'wms.reservation:write',
    'wms.count:write',
  ],
  finance: [
    'wms.rate:read',
    'wms.rate:write',
    'wms.cost:read',
    'wms.cost:run',
    'wms.cost:write',
    'wms.period:close',
    'wms.invoice:read',
    'wms.invoice:write',
    'wms.invoice:reconcile',
    'wms.invoice:approve',
    'wms.invoice:pay',
    'wms.dispute:write',
    'wms.dispute:resolve',
    'wms.export:run',
    'commerce.customer:read',
    'commerce.sale:read',
    'commerce.sale:import',
  ],
} as const;

const operating = {
  ops_operator: [
    'rollback:plan',
    'rollback:backup',
    'rollback:switch',
    'rollback:record',
    'rollback.incident:write',
    'rollout:advance',
    'rollout:experiment',
    'platform.metrics:read',
  ],
  ops_approver: ['rollback:approve', 'rollout:promote'],
  ops_executor: ['rollback:execute', 'rollback.config:write'],
  ops_emergency: ['rollback:emergency'],
  dba: ['rollback:restore', 'rollback:purge', 'rollback:backup'],
} as const;

/** Only admin has these of its own. */
const administering = [
  'directory.account:write',
  'directory.role:grant',
  'directory.token:manage',
  'directory.site:write',
  'people.sync:run',
  'dashboard.production:refresh',
  'wms.period:override',
  'wms.ops:run',
  'rollback.policy:write',
  'platform.metrics:read',
] as const;

/** Held by no role: given to a person by name, and every use of it is written down. */
export const UNMASKED = 'people:pii';

const rolePermissions: Readonly<Record<string, readonly string[]>> = {
  viewer: reading,
  operator: [...reading, ...working.operator],
  supervisor: [...reading, ...working.supervisor],
  planner: [...reading, ...working.planner],
  manager: [...reading, ...working.manager],
  qc: [...reading, ...working.qc],
  warehouse: [...reading, ...working.warehouse],
  finance: [...reading, ...working.finance],
  ops_operator: [...reading, ...operating.ops_operator],
  ops_approver: [...reading, ...operating.ops_approver],
  ops_executor: [...reading, ...operating.ops_executor],
  ops_emergency: [...reading, ...operating.ops_emergency],
  dba: [...reading, ...operating.dba],
  auditor: [...reading, ...auditing, 'rollback.audit:read', 'rollback.audit:export'],
  admin: [...new Set([...reading, ...auditing, ...Object.values(working).flat(), ...administering])],
};

export const roles = [
  'viewer',
  'operator',
  'supervisor',
  'planner',
  'manager',
  'qc',
  'warehouse',
  'finance',
  'ops_operator',
  'ops_approver',
  'ops_executor',
  'ops_emergency',
  'dba',
  'auditor',
  'admin',
] as const;

export const permissions: ReadonlySet<string> = new Set([
  ...Object.values(rolePermissions).flat(),
  ...changeControl,
  UNMASKED,
]);

/** What concerns the company as a whole and cannot be held at one site only. */
export function isCompanyWide(permission: string): boolean {
  return /^(rollback|rollout|platform)[.:]/.test(permission);
}

/** Roles that would mean nothing at a single site. */
export const companyWideRoles: ReadonlySet<string> = new Set(Object.keys(operating));

export interface RoleAt {
  readonly role: string;
  readonly siteId: string | null;
}

/**
 * What an account may: the permissions of its roles, each at the role's site, and those given to it by name. A role
 * held at one site brings nothing that is company-wide; a role nobody knows (any more) brings nothing.
 */
export function grantsOf(held: readonly RoleAt[], byName: readonly Grant[]): Grant[] {
  const grants = new Map<string, Grant>();
  const add = (grant: Grant) => {
    if (grant.siteId !== null && isCompanyWide(grant.permission)) return;
    grants.set(`${grant.permission} ${grant.siteId ?? 'everywhere'}`, grant);
  };
  for (const { role, siteId } of held) {
    for (const permission of rolePermissions[role] ?? []) add({ permission, siteId });
  }
  for (const grant of byName) add(grant);
  return [...grants.values()];
}
