import {
  flagOff,
  getProbe,
  stopJobs,
  verifyDomain,
  type DomainRecovery,
  type Probe,
  type RunbookTemplate,
} from '@belay/platform';
import { integrityChecks } from '../integrity/integrity.queries.js';
import { afterRestore } from './after-restore.service.js';
import { compensate } from './compensation.service.js';
import { recoveredTables } from './recovered-table.rules.js';
import { planRecovery } from './recovery-plan.service.js';
import { markWarehouse, verifyWarehouse } from './verification.service.js';

const nothingPosted: Probe = {
  kind: 'rows',
  name: 'nothing is posted any more',
  // What the way back takes back itself is posted by nobody.
  sql: `SELECT id, number FROM wms.movement
        WHERE recorded_at > $2::timestamptz AND source_type IS DISTINCT FROM 'recovery' LIMIT $1`,
};

const flags = ['enable_wms_module', 'wms_write', 'wms_finance'];

const jobsStop = stopJobs('wms');
const verify = verifyDomain('wms', 300);
const manual = (key: string, what: string, timeoutS: number) =>
  ({ key, action: 'manual.command', params: { what }, timeoutS, onFail: 'hold' }) as const;

const watched = ['The log has an entry', 'Users were told', 'Watched for 24 hours'];

const runbooks: readonly RunbookTemplate[] = [
  {
    id: 'wms-off',
    version: 1,
    trigger: 'The warehouse does harm, or must not be used for a while',
    preconditions: ['A reason is recorded', 'A marker was made'],
    steps: [flagOff('off', 'enable_wms_module'), jobsStop, verify],
    verification: ['Its routes answer 404 module-off', 'Its jobs stand still', 'Everything else answers as before'],
    after: watched,
    budgetS: 30,
    targetS: 1,
    dataLossRisk: 'none',
  },
  {
    id: 'wms-read-only',
    version: 1,
    trigger: 'Stock must not change, and must be seen',
    preconditions: ['A reason is recorded'],
    steps: [flagOff('write-off', 'wms_write'), verify],
    verification: ['Stock can be read', 'Nothing is posted any more'],
    after: watched,
    budgetS: 30,
    targetS: 1,
    dataLossRisk: 'none',
  },
  {
    id: 'wms-s1',
    version: 1,
    trigger: 'The dependencies of a release cannot be installed',
    preconditions: ['Package files and lockfile of the tag are at hand'],
    steps: [
      manual('install', 'Install the lockfile of the tag into a new slot', 600),
      manual('build', 'Build and type-check it; stop here when that is green, and switch to it', 600),
    ],
    verification: ['The build of the tag is green', 'The release that answers is the one of the tag'],
    after: watched,
    budgetS: 900,
    targetS: 180,
    dataLossRisk: 'none',
  },
  {
    id: 'wms-s2',
    version: 1,
    trigger: 'A migration failed, or rows are damaged',
    preconditions: ['A marker from before is known, or a proven backup', 'Nobody uses the module'],
    steps: [
      flagOff('off', 'enable_wms_module'),
      jobsStop,
      { key: 'backup', action: 'backup.create', params: { scope: 'wms' }, timeoutS: 300, onFail: 'hold' },
      {
        key: 'rows',
        action: 'rows.restore',
        params: { domain: 'wms', mode: 'compensate' },
        optional: true,
        timeoutS: 300,
        onFail: 'compensate',
      },
      {
        key: 'down',
        action: 'migration.down',
        params: { domain: 'wms' },
        optional: true,
        timeoutS: 120,
        onFail: 'compensate',
      },
      {
        key: 'restore',
        action: 'domain.restore',
        params: { domain: 'wms' },
        optional: true,
        timeoutS: 900,
        onFail: 'compensate',
      },
      verify,
    ],
    verification: [
      'The entities are the schema',
      'Every integrity check passes',
      'Tables equal the marker or the backup',
    ],
    after: [...watched, 'A post-mortem is planned'],
    budgetS: 900,
    targetS: 60,
    dataLossRisk: 'low',
  },
  {
    id: 'wms-s3',
    version: 1,
    trigger: 'The release does not build or wire because of the warehouse',
    preconditions: ['The tag is known'],
    steps: [
      flagOff('off', 'enable_wms_module'),
      manual('slot', 'Compare the slot with the tag, build a new one from the tag, switch to it', 600),
      verify,
    ],
    verification: ['The rest boots and its tests pass', 'Routes of the warehouse answer 404 module-off'],
    after: watched,
    budgetS: 180,
    targetS: 30,
    dataLossRisk: 'none',
  },
  {
    id: 'wms-s4',
    version: 1,
    trigger: 'Everything is down since the warehouse came in',
    preconditions: ['A proven backup of the application', 'Two people'],
    steps: [
      flagOff('writes-off', 'platform_writes'),
      {
        key: 'restore',
        action: 'database.restore',
        params: { scope: 'application' },
        timeoutS: 900,
        onFail: 'compensate',
      },
      manual('release', 'Switch to the release before, with its configuration; start workers, then HTTP', 180),
      verify,
      {
        key: 'rows',
        action: 'rows.restore',
        params: { domain: 'wms', mode: 'selective' },
        optional: true,
        timeoutS: 300,
        onFail: 'hold',
      },
    ],
    verification: ['The five minimum checks', 'Every integrity check passes', 'The loss report is empty, or told'],
    after: [...watched, 'A post-mortem is planned'],
    budgetS: 900,
    targetS: 120,
    dataLossRisk: 'medium',
  },
];

/** How the warehouse is switched off, taken down and brought back. */
export const recovery: DomainRecovery = {
  probes: {
    off: [
      getProbe('stock is gone', '/api/wms/stock', 404, 'module-off'),
      getProbe('invoices are gone', '/api/wms/invoices', 404, 'module-off'),
      { kind: 'jobs-idle', name: 'its jobs stand still' },
      nothingPosted,
    ],
    fallback: [
      getProbe('sites are there', '/api/directory/sites', 200),
      getProbe('the process lives', '/health/live', 200),
      nothingPosted,
    ],
    on: [
      getProbe('stock is there', '/api/wms/stock', 200),
      getProbe('warehouses are there', '/api/wms/warehouses', 200),
      getProbe('the checks can be read', '/api/wms/integrity', 200),
    ],
  },
  invariants: integrityChecks.map(({ name, holds, severity, find }) => ({
    name,
    holds,
    severity,
    find: async (on, most) => (await find(on, [most])).map(({ violation }) => violation),
  })),
  guards: [
    { object: 'wms.movement', mode: 'park', count: 'SELECT count(*) FROM wms.movement' },
    {
      object: 'wms.reservation',
      mode: 'park',
      count: `SELECT count(*) FROM wms.reservation WHERE status IN ('active', 'partially_fulfilled')`,
    },
    {
      object: 'wms.import_batch',
      mode: 'require-empty',
      count: `SELECT count(*) FROM wms.import_batch WHERE status IN ('checking', 'committing')`,
    },
    { object: 'wms', mode: 'park', count: 'SELECT count(*) FROM wms.warehouse' },
  ],
  keeps: [
    'All rows of the warehouse: off touches no data, down parks the schema',
    `Flags of others: only ${flags.join(', ')} are touched`,
    'Directory and every other module; sales are posted as before',
  ],
  runbooks,
  hooks: {
    tables: [...recoveredTables.map(({ name }) => `wms.${name}`), 'wms.wms_inventory_transaction', 'wms.cost_charge'],
    mark: markWarehouse,
    plan: planRecovery,
    compensate,
    afterRestore,
    verify: verifyWarehouse,
    physical: {
      role: 'belay_maintenance',
      clears: ['wms.reservation_alloc'],
      truncates: ['wms.wms_inventory_transaction', 'wms.stock_balance', 'wms.reservation_alloc', 'wms.storage_dirty'],
      fills: [
        { table: 'wms.wms_inventory_transaction', order: 'seq' },
        { table: 'wms.reservation_alloc', order: 'reservation_id, balance_id' },
      ],
      derived: ['wms.stock_balance', 'wms.storage_dirty'],
      rebind: [
        `UPDATE wms.stock_balance b SET reserved = p.units
         FROM (SELECT balance_id, sum(qty - qty_fulfilled)::bigint AS units FROM wms.reservation_alloc GROUP BY 1) p
         WHERE p.balance_id = b.id`,
        `SELECT setval(pg_get_serial_sequence('wms.wms_inventory_transaction', 'seq'),
                       (SELECT coalesce(max(seq), 0) + 1 FROM wms.wms_inventory_transaction), false)`,
      ],
    },
  },
  dataLoss: [
    { path: 'off', risk: 'none', note: 'No row is touched. Facts and jobs wait, and are done when it is on again.' },
    { path: 'parked', risk: 'none', note: 'The schema is renamed; the next up takes every row back.' },
    {
      path: 'compensate',
      risk: 'none',
      note: 'Movements and charges since the marker stay, beside their opposites; rows that something rests on are put out of use and listed.',
    },
    {
      path: 'selective',
      risk: 'low',
      note: 'Records that others changed too are left as they are, and listed; refused where stock was used since.',
    },
    {
      path: 'physical',
      risk: 'medium',
      note: 'Lines after the backup are only in the copy that was set aside: the loss report lists their documents.',
    },
    {
      path: 'database',
      risk: 'medium',
      note: 'Everything after the backup is only in the failed database, which is kept; documents since are listed.',
    },
  ],
};
