import {
  flagOff,
  getProbe,
  stopJobs,
  verifyDomain,
  type DomainRecovery,
  type Probe,
  type RunbookTemplate,
} from '@belay/platform';
import { afterRestore, compensate } from './compensation.service.js';
import { invariants } from './invariant.queries.js';
import { recoveredTables } from './recovered-table.rules.js';
import { planRecovery } from './recovery-plan.service.js';
import { markAssignment, verifyAssignment } from './verification.service.js';

/** The log alone may be parked, and a statement that names it is then none. */
const nothingLogged: Probe = {
  kind: 'rows',
  name: 'nothing is logged any more',
  sql: `SELECT entries
        FROM (SELECT CASE WHEN to_regclass('assignment.assignment_log') IS NOT NULL THEN query_to_xml(
                format('SELECT id, event FROM assignment.assignment_log WHERE created_at > %L LIMIT %s',
                       $2::timestamptz, $1::integer), false, true, '')::text END AS entries) AS looked
        WHERE entries LIKE '%<row%'`,
};

const flags = ['enable_assignment_runtime', 'enable_assignment_preview'] as const;

const off = flags.map((flag) => flagOff(flag.replaceAll('_', '-'), flag));
const jobsStop = stopJobs('assignment');
const verify = verifyDomain('assignment', 120);

const watched = ['The log has an entry', 'Supervisors were told that they assign by hand', 'Watched for 24 hours'];

const runbooks: readonly RunbookTemplate[] = [
  {
    id: 'assignment-off',
    version: 1,
    trigger: 'Work goes to the wrong people, or to nobody',
    preconditions: ['A reason is recorded'],
    steps: [...off, jobsStop, verify],
    verification: [
      'Its routes answer 404 module-off',
      'What is assigned stays assigned, and can be assigned by hand',
      'Nothing new is logged; spawns and routes ask nobody',
    ],
    after: watched,
    budgetS: 30,
    targetS: 1,
    dataLossRisk: 'none',
  },
  {
    id: 'assignment-phase-7',
    version: 1,
    trigger: 'Phase 7 is taken back',
    preconditions: [
      'A reason is recorded',
      'Phases 8, 9 and 10 were looked at first',
      'Nothing is paused in production',
    ],
    steps: [
      ...off,
      jobsStop,
      {
        key: 'down',
        action: 'migration.down',
        // Plans and pins stay; their priority, the log and the calendar are parked.
        params: { domain: 'assignment', to: '1764012100000-create-plan' },
        timeoutS: 120,
        onFail: 'compensate',
      },
      verify,
    ],
    verification: [
      'Assignments, plans and pins are as they were',
      'Work is assigned by hand',
      'Zero new rows in the log; no step asks the resolver',
    ],
    after: [...watched, 'A post-mortem is planned'],
    budgetS: 900,
    targetS: 60,
    dataLossRisk: 'low',
  },
];

/** How assignment is switched off, taken back and brought back. */
export const recovery: DomainRecovery = {
  probes: {
    off: [
      getProbe('plans are gone', '/api/assignment/plans', 404, 'module-off'),
      getProbe('the log is gone', '/api/assignment/log', 404, 'module-off'),
      { kind: 'jobs-idle', name: 'its jobs stand still' },
      nothingLogged,
    ],
    fallback: [
      getProbe('work is assigned by hand', '/api/production/assignments', 200),
      getProbe('the work queue is there', '/api/production/work-queue', 200),
      getProbe('the process lives', '/health/live', 200),
      nothingLogged,
    ],
    on: [
      getProbe('plans are there', '/api/assignment/plans', 200),
      getProbe('leave is there', '/api/assignment/leave-requests', 200),
      getProbe('the log can be read', '/api/assignment/log', 200),
    ],
  },
  invariants,
  guards: [
    { object: 'assignment.assignment_log', mode: 'park', count: 'SELECT count(*) FROM assignment.assignment_log' },
    {
      object: 'assignment.assignment_plan_node',
      mode: 'park',
      count: 'SELECT count(*) FROM assignment.assignment_plan_node',
    },
    {
      object: 'assignment.assignment_plan_job',
      mode: 'park',
      count: 'SELECT count(*) FROM assignment.assignment_plan_job',
    },
  ],
  keeps: [
    'Assignments stay valid: they are production’s, and so are limits, queue and manual assignment',
    'Plans, pins, leave and rosters: off touches no row, down parks them',
    `Flags of others: only ${flags.join(', ')} are touched`,
  ],
  runbooks,
  hooks: {
    tables: [...recoveredTables.map(({ name }) => `assignment.${name}`), 'assignment.assignment_log'],
    mark: markAssignment,
    plan: planRecovery,
    compensate,
    afterRestore,
    verify: verifyAssignment,
    physical: {
      role: 'belay_maintenance',
      clears: [],
      truncates: ['assignment.assignment_log'],
      fills: [{ table: 'assignment.assignment_log', order: 'id' }],
      derived: [],
      rebind: [
        `SELECT setval('assignment.assignment_log_id', (SELECT coalesce(max(id), 0) + 1 FROM assignment.assignment_log), false)`,
      ],
    },
  },
  dataLoss: [
    { path: 'off', risk: 'none', note: 'No row is touched. Facts wait, and are heard when it is on again.' },
    { path: 'parked', risk: 'none', note: 'Columns and tables are renamed; the next up takes every row back.' },
    {
      path: 'compensate',
      risk: 'none',
      note: 'Plans, pins, leave and rosters are as they were; what was logged since stays, because it happened.',
    },
    { path: 'selective', risk: 'low', note: 'Records that others changed too are left as they are, and listed.' },
    {
      path: 'physical',
      risk: 'low',
      note: 'Entries of the log after the backup are only in the copy that was set aside.',
    },
    {
      path: 'database',
      risk: 'medium',
      note: 'Everything after the backup is only in the failed database, which is kept.',
    },
  ],
};
