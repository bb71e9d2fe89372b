import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChargeCatchUp } from './charges/charge-catch-up.service.js';
import { ChargeProcessor } from './charges/charge.processor.js';
import { EventCharges } from './charges/event-charges.service.js';
import { DisputeStates } from './disputes/dispute-states.service.js';
import { DisputeProcessor } from './disputes/dispute.processor.js';
import { ExportFiles } from './exports/export-files.service.js';
import { ExportWriter } from './exports/export-writer.service.js';
import { ExportProcessor } from './exports/export.processor.js';
import { Lot } from './goods/lot.entity.js';
import { LotService } from './goods/lot.service.js';
import { PalletSpecService } from './goods/pallet-spec.service.js';
import { Sku } from './goods/sku.entity.js';
import { SkuService } from './goods/sku.service.js';
import { ImportAccess } from './imports/import-access.service.js';
import { ImportCommits } from './imports/import-commits.service.js';
import { Issues } from './imports/import-issues.service.js';
import { ImportProcessor } from './imports/import.processor.js';
import { Importers } from './imports/importers.service.js';
import { InvoiceImport } from './imports/invoice-import.service.js';
import { LedgerDocuments } from './imports/ledger-document.service.js';
import { LedgerImport } from './imports/ledger-import.service.js';
import { PalletSpecImport } from './imports/pallet-spec-import.service.js';
import { RateImport } from './imports/rate-import.service.js';
import { SkuImport } from './imports/sku-import.service.js';
import { IntegrityMetrics } from './integrity/integrity-metrics.service.js';
import { IntegrityProcessor } from './integrity/integrity.processor.js';
import { IntegrityService } from './integrity/integrity.service.js';
import { InvoiceAccess } from './invoices/invoice-access.service.js';
import { InvoiceStates } from './invoices/invoice-states.service.js';
import { InvoiceService } from './invoices/invoice.service.js';
import { AdjustService } from './movements/adjust.service.js';
import { BulkPosting } from './movements/bulk-posting.service.js';
import { LineLookup } from './movements/lookup.service.js';
import { PostingTime } from './movements/posting-time.service.js';
import { Posting } from './movements/posting.service.js';
import { ReceiveService } from './movements/receive.service.js';
import { Refusals } from './movements/refusal.service.js';
import { ShipService } from './movements/ship.service.js';
import { ShipmentParts } from './movements/shipment-parts.service.js';
import { Submission } from './movements/submission.service.js';
import { RateService } from './rates/rate.service.js';
import { Allocations } from './reservations/allocation.service.js';
import { ReservationExpiry } from './reservations/expiry.processor.js';
import { Fulfilment } from './reservations/fulfilment.service.js';
import { LotBlocked } from './reservations/lot-blocked.service.js';
import { Picking } from './stock/picking.service.js';
import { StorageRun } from './storage/storage-run.service.js';
import { StorageProcessor } from './storage/storage.processor.js';
import { WarehouseScope } from './warehouses/warehouse-scope.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Lot, Sku])],
  providers: [
    AdjustService,
    Allocations,
    BulkPosting,
    ChargeCatchUp,
    ChargeProcessor,
    DisputeProcessor,
    DisputeStates,
    EventCharges,
    ExportFiles,
    ExportProcessor,
    ExportWriter,
    Fulfilment,
    ImportAccess,
    ImportCommits,
    ImportProcessor,
    Importers,
    IntegrityMetrics,
    IntegrityProcessor,
    IntegrityService,
    InvoiceAccess,
    InvoiceImport,
    InvoiceService,
    InvoiceStates,
    Issues,
    LedgerDocuments,
    LedgerImport,
    LineLookup,
    LotBlocked,
    LotService,
    PalletSpecImport,
    PalletSpecService,
    Picking,
    Posting,
    PostingTime,
    RateImport,
    RateService,
    ReceiveService,
    Refusals,
    ReservationExpiry,
    ShipmentParts,
    ShipService,
    SkuImport,
    SkuService,
    StorageProcessor,
    StorageRun,
    Submission,
    WarehouseScope,
  ],
})
export class WmsJobsModule {}
