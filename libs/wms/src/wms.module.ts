import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ProposalController } from './adjustments/proposal.controller.js';
import { ProposalService } from './adjustments/proposal.service.js';
import { ChargeCatchUp } from './charges/charge-catch-up.service.js';
import { ChargeController } from './charges/charge.controller.js';
import { ChargeService } from './charges/charge.service.js';
import { CostController } from './charges/cost.controller.js';
import { CostService } from './charges/cost.service.js';
import { EventCharges } from './charges/event-charges.service.js';
import { PriceCheckService } from './charges/price-check.service.js';
import { CountPosting } from './counts/count-posting.service.js';
import { CountController } from './counts/count.controller.js';
import { CountService } from './counts/count.service.js';
import { DisputeStates } from './disputes/dispute-states.service.js';
import { DisputeController } from './disputes/dispute.controller.js';
import { DisputeService } from './disputes/dispute.service.js';
import { ResolutionService } from './disputes/resolution.service.js';
import { ExportFiles } from './exports/export-files.service.js';
import { ExportWriter } from './exports/export-writer.service.js';
import { ExportController } from './exports/export.controller.js';
import { ExportService } from './exports/export.service.js';
import { LotStockController } from './goods/lot-stock.controller.js';
import { LotStockService } from './goods/lot-stock.service.js';
import { LotController } from './goods/lot.controller.js';
import { Lot } from './goods/lot.entity.js';
import { LotService } from './goods/lot.service.js';
import { PalletSpecController } from './goods/pallet-spec.controller.js';
import { PalletSpecService } from './goods/pallet-spec.service.js';
import { SkuController } from './goods/sku.controller.js';
import { Sku } from './goods/sku.entity.js';
import { SkuService } from './goods/sku.service.js';
import { ImportAccess } from './imports/import-access.service.js';
import { ImportCommits } from './imports/import-commits.service.js';
import { Issues } from './imports/import-issues.service.js';
import { ImportStaging } from './imports/import-staging.service.js';
import { ImportController } from './imports/import.controller.js';
import { ImportService } from './imports/import.service.js';
import { Importers } from './imports/importers.service.js';
import { InvoiceImport } from './imports/invoice-import.service.js';
import { LedgerDocuments } from './imports/ledger-document.service.js';
import { LedgerImport } from './imports/ledger-import.service.js';
import { PalletSpecImport } from './imports/pallet-spec-import.service.js';
import { RateImport } from './imports/rate-import.service.js';
import { SkuImport } from './imports/sku-import.service.js';
import { IntegrityMetrics } from './integrity/integrity-metrics.service.js';
import { IntegrityController } from './integrity/integrity.controller.js';
import { IntegrityService } from './integrity/integrity.service.js';
import { ApprovalService } from './invoices/approval.service.js';
import { InvoiceAccess } from './invoices/invoice-access.service.js';
import { InvoiceStates } from './invoices/invoice-states.service.js';
import { InvoiceController } from './invoices/invoice.controller.js';
import { InvoiceService } from './invoices/invoice.service.js';
import { PaymentService } from './invoices/payment.service.js';
import { ReconciliationService } from './invoices/reconciliation.service.js';
import { AdjustService } from './movements/adjust.service.js';
import { BulkPosting } from './movements/bulk-posting.service.js';
import { LedgerController } from './movements/ledger.controller.js';
import { LineLookup } from './movements/lookup.service.js';
import { MovementController } from './movements/movement.controller.js';
import { MovementService } from './movements/movement.service.js';
import { PostingTime } from './movements/posting-time.service.js';
import { Posting } from './movements/posting.service.js';
import { ReceiveService } from './movements/receive.service.js';
import { Refusals } from './movements/refusal.service.js';
import { ReverseService } from './movements/reverse.service.js';
import { ShipService } from './movements/ship.service.js';
import { ShipmentParts } from './movements/shipment-parts.service.js';
import { Submission } from './movements/submission.service.js';
import { TransferService } from './movements/transfer.service.js';
import { PeriodController } from './periods/period.controller.js';
import { PeriodService } from './periods/period.service.js';
import { RateAliasController } from './rates/rate-alias.controller.js';
import { RateAliasService } from './rates/rate-alias.service.js';
import { RateController } from './rates/rate.controller.js';
import { RateService } from './rates/rate.service.js';
import { ReportController } from './reports/report.controller.js';
import { ReportService } from './reports/report.service.js';
import { Allocations } from './reservations/allocation.service.js';
import { Fulfilment } from './reservations/fulfilment.service.js';
import { LotBlocked } from './reservations/lot-blocked.service.js';
import { ReservationController } from './reservations/reservation.controller.js';
import { ReservationService } from './reservations/reservation.service.js';
import { ReservedShipment } from './reservations/reserved-shipment.service.js';
import { LedgerService } from './stock/ledger.service.js';
import { Picking } from './stock/picking.service.js';
import { StockScope } from './stock/stock-scope.service.js';
import { StockController } from './stock/stock.controller.js';
import { StockService } from './stock/stock.service.js';
import { TraceService } from './stock/trace.service.js';
import { StorageRun } from './storage/storage-run.service.js';
import { StorageController } from './storage/storage.controller.js';
import { StorageService } from './storage/storage.service.js';
import { LocationController } from './warehouses/location.controller.js';
import { Location } from './warehouses/location.entity.js';
import { LocationService } from './warehouses/location.service.js';
import { WarehouseScope } from './warehouses/warehouse-scope.service.js';
import { WarehouseController } from './warehouses/warehouse.controller.js';
import { Warehouse } from './warehouses/warehouse.entity.js';
import { WarehouseService } from './warehouses/warehouse.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Location, Lot, Sku, Warehouse])],
  controllers: [
    ChargeController,
    CostController,
    CountController,
    DisputeController,
    ExportController,
    ImportController,
    IntegrityController,
    InvoiceController,
    LedgerController,
    LocationController,
    LotController,
    LotStockController,
    MovementController,
    PalletSpecController,
    PeriodController,
    ProposalController,
    RateAliasController,
    RateController,
    ReportController,
    ReservationController,
    SkuController,
    StockController,
    StorageController,
    WarehouseController,
  ],
  providers: [
    AdjustService,
    Allocations,
    ApprovalService,
    BulkPosting,
    ChargeCatchUp,
    ChargeService,
    CostService,
    CountPosting,
    CountService,
    DisputeService,
    DisputeStates,
    EventCharges,
    ExportFiles,
    ExportService,
    ExportWriter,
    Fulfilment,
    ImportAccess,
    ImportCommits,
    ImportService,
    ImportStaging,
    Importers,
    IntegrityMetrics,
    IntegrityService,
    InvoiceAccess,
    InvoiceImport,
    InvoiceService,
    InvoiceStates,
    Issues,
    LedgerDocuments,
    LedgerImport,
    LedgerService,
    LineLookup,
    LocationService,
    LotBlocked,
    LotService,
    LotStockService,
    MovementService,
    PalletSpecImport,
    PalletSpecService,
    PaymentService,
    PeriodService,
    Picking,
    Posting,
    PostingTime,
    PriceCheckService,
    ProposalService,
    RateAliasService,
    RateImport,
    RateService,
    ReceiveService,
    ReconciliationService,
    Refusals,
    ReportService,
    ReservationService,
    ReservedShipment,
    ResolutionService,
    ReverseService,
    ShipmentParts,
    ShipService,
    SkuImport,
    SkuService,
    StockScope,
    StockService,
    StorageRun,
    StorageService,
    Submission,
    TraceService,
    TransferService,
    WarehouseScope,
    WarehouseService,
  ],
})
export class WmsModule {}
