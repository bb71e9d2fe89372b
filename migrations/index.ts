import type { Ledger } from '@belay/platform';
import checksums from './checksums.json' with { type: 'json' };
import { CreateSchema1764012000000 } from './assignment/1764012000000-create-schema.js';
import { CreatePlan1764012100000 } from './assignment/1764012100000-create-plan.js';
import { CreateAvailability1764012200000 } from './assignment/1764012200000-create-availability.js';
import { CreateLog1764012300000 } from './assignment/1764012300000-create-log.js';
import { AddPlanPriority1764012400000 } from './assignment/1764012400000-add-plan-priority.js';
import { CreateControl1764000000000 } from './control/1764000000000-create-control.js';
import { CreateFailedCopy1764000000500 } from './control/1764000000500-create-failed-copy.js';
import { CreateRequestFigure1764000000600 } from './control/1764000000600-create-request-figure.js';
import { CreateRollback1764000000300 } from './control/1764000000300-create-rollback.js';
import { AddressProcess1764000000400 } from './control/1764000000400-address-process.js';
import { CreateSite1764000100000 } from './directory/1764000100000-create-site.js';
import { CreateAccount1764000200000 } from './directory/1764000200000-create-account.js';
import { CreateToken1764000300000 } from './directory/1764000300000-create-token.js';
import { CreateTeam1764000400000 } from './directory/1764000400000-create-team.js';
import { PublishViews1764000500000 } from './directory/1764000500000-publish-views.js';
import { PublishSkills1764000600000 } from './directory/1764000600000-publish-skills.js';
import { CreatePlatform1764000000100 } from './platform/1764000000100-create-platform.js';
import { CreateSigningKey1764000000200 } from './platform/1764000000200-create-signing-key.js';
import { CreateDesign1764010000000 } from './production/1764010000000-create-design.js';
import { CreateTicket1764010100000 } from './production/1764010100000-create-ticket.js';
import { CreateToken1764010200000 } from './production/1764010200000-create-token.js';
import { CreateWork1764010300000 } from './production/1764010300000-create-work.js';
import { PublishViews1764010400000 } from './production/1764010400000-publish-views.js';
import { CreateArchive1764010500000 } from './production/1764010500000-create-archive.js';
import { CreateSchema1764006000000 } from './wms/1764006000000-create-schema.js';
import { CreateMasterData1764006100000 } from './wms/1764006100000-create-master-data.js';
import { CreateLedger1764006200000 } from './wms/1764006200000-create-ledger.js';
import { CreateReservation1764006300000 } from './wms/1764006300000-create-reservation.js';
import { CreateInvoice1764006400000 } from './wms/1764006400000-create-invoice.js';
import { CreateCost1764006500000 } from './wms/1764006500000-create-cost.js';
import { CreateReconciliation1764006600000 } from './wms/1764006600000-create-reconciliation.js';
import { CreateImport1764006700000 } from './wms/1764006700000-create-import.js';
import { GuardLaterBalances1764006800000 } from './wms/1764006800000-guard-later-balances.js';
import { ExtendInvoice1764006910000 } from './wms/1764006910000-extend-invoice.js';
import { CreateIntegrityRun1764006920000 } from './wms/1764006920000-create-integrity-run.js';
import { ExtendReservation1764006930000 } from './wms/1764006930000-extend-reservation.js';
import { CreateImportRow1764006940000 } from './wms/1764006940000-create-import-row.js';
import { HoldBuckets1764006950000 } from './wms/1764006950000-hold-buckets.js';
import { IndexUnsoundStock1764006960000 } from './wms/1764006960000-index-unsound-stock.js';
import { CreateAdjustmentProposal1764006970000 } from './wms/1764006970000-create-adjustment-proposal.js';
import { OrderStorageByDay1764006980000 } from './wms/1764006980000-order-storage-by-day.js';

/** Every migration there is, in the order in which domains stand on each other. A file that is not here does not run. */
export const ledgers: readonly Ledger[] = [
  {
    domain: 'control',
    database: 'control',
    checksums,
    migrations: [
      CreateControl1764000000000,
      CreateRollback1764000000300,
      AddressProcess1764000000400,
      CreateFailedCopy1764000000500,
      CreateRequestFigure1764000000600,
    ],
  },
  {
    domain: 'platform',
    database: 'application',
    checksums,
    migrations: [CreatePlatform1764000000100, CreateSigningKey1764000000200],
  },
  {
    domain: 'directory',
    database: 'application',
    checksums,
    migrations: [
      CreateSite1764000100000,
      CreateAccount1764000200000,
      CreateToken1764000300000,
      CreateTeam1764000400000,
      PublishViews1764000500000,
      PublishSkills1764000600000,
    ],
  },
  {
    domain: 'production',
    database: 'application',
    checksums,
    migrations: [
      CreateDesign1764010000000,
      CreateTicket1764010100000,
      CreateToken1764010200000,
      CreateWork1764010300000,
      PublishViews1764010400000,
      CreateArchive1764010500000,
    ],
  },
  {
    domain: 'assignment',
    database: 'application',
    checksums,
    migrations: [
      CreateSchema1764012000000,
      CreatePlan1764012100000,
      CreateAvailability1764012200000,
      CreateLog1764012300000,
      AddPlanPriority1764012400000,
    ],
  },
  {
    domain: 'wms',
    database: 'application',
    checksums,
    migrations: [
      CreateSchema1764006000000,
      CreateMasterData1764006100000,
      CreateLedger1764006200000,
      CreateReservation1764006300000,
      CreateInvoice1764006400000,
      CreateCost1764006500000,
      CreateReconciliation1764006600000,
      CreateImport1764006700000,
      GuardLaterBalances1764006800000,
      ExtendInvoice1764006910000,
      CreateIntegrityRun1764006920000,
      ExtendReservation1764006930000,
      CreateImportRow1764006940000,
      HoldBuckets1764006950000,
      IndexUnsoundStock1764006960000,
      CreateAdjustmentProposal1764006970000,
      OrderStorageByDay1764006980000,
    ],
  },
];
