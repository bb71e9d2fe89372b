import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import {
  anomalyFilter,
  anomalyView,
  billedFilter,
  happenedFilter,
  longStorageFilter,
  longStorageView,
  missingDocumentsView,
  palletVarianceView,
  unexpectedView,
  varianceView,
  type AnomalyFilter,
  type AnomalyView,
  type BilledFilter,
  type HappenedFilter,
  type LongStorageFilter,
  type LongStorageView,
  type MissingDocumentsView,
  type PalletVarianceView,
  type UnexpectedView,
  type VarianceView,
} from './report.contract.js';
import { ReportService } from './report.service.js';

const problems = ['404 warehouse-not-found'] as const;

@ApiTags('wms')
@Controller('wms/reports')
export class ReportController {
  constructor(private readonly reports: ReportService) {}

  @Get('variance')
  @Requires('wms.invoice:read')
  @InFeature('wms_finance')
  @Endpoint('Compare warehouses by what they bill too much or too little', {
    returns: listOf(varianceView),
    problems,
    description: 'By the last reconciliation of each invoice, and by currency.',
  })
  variance(@By() by: Caller, @Query({ schema: billedFilter }) query: BilledFilter): Promise<List<VarianceView>> {
    return this.reports.variance(by, query);
  }

  @Get('unexpected-charges')
  @Requires('wms.invoice:read')
  @InFeature('wms_finance')
  @Endpoint('List what was billed and never charged', { returns: listOf(unexpectedView), problems })
  unexpected(@By() by: Caller, @Query({ schema: billedFilter }) query: BilledFilter): Promise<List<UnexpectedView>> {
    return this.reports.unexpected(by, query);
  }

  @Get('long-storage')
  @Requires('wms.cost:read')
  @InFeature('wms_finance')
  @Endpoint('List lots that are in stock for too long', {
    returns: listOf(longStorageView),
    problems,
    description: 'The oldest first, with what their storage has cost so far.',
  })
  longStorage(
    @By() by: Caller,
    @Query({ schema: longStorageFilter }) query: LongStorageFilter,
  ): Promise<List<LongStorageView>> {
    return this.reports.longStorage(by, query);
  }

  @Get('pallet-variance')
  @Requires('wms.ops:read')
  @Endpoint('List lines whose pallets were counted otherwise than computed', {
    returns: listOf(palletVarianceView),
    problems,
  })
  palletVariance(
    @By() by: Caller,
    @Query({ schema: happenedFilter }) query: HappenedFilter,
  ): Promise<List<PalletVarianceView>> {
    return this.reports.palletVariance(by, query);
  }

  @Get('missing-documents')
  @Requires('wms.ops:read')
  @Endpoint('List receipts and shipments without their papers', { returns: listOf(missingDocumentsView), problems })
  missingDocuments(
    @By() by: Caller,
    @Query({ schema: happenedFilter }) query: HappenedFilter,
  ): Promise<List<MissingDocumentsView>> {
    return this.reports.missingDocuments(by, query);
  }

  @Get('anomalies')
  @Requires('wms.ops:read')
  @Endpoint('List what is allowed and should yet be looked at', {
    returns: listOf(anomalyView),
    problems,
    description: 'What nobody can price, stock past its last day, and invoices that wait. Integrity is told elsewhere.',
  })
  anomalies(@By() by: Caller, @Query({ schema: anomalyFilter }) query: AnomalyFilter): Promise<List<AnomalyView>> {
    return this.reports.anomalies(by, query);
  }
}
