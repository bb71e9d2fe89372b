import { Module } from '@nestjs/common';
import { ChargeCatchUp } from './charges/charge-catch-up.service.js';
import { ChargeProcessor } from './charges/charge.processor.js';
import { DisputeStates } from './disputes/dispute-states.service.js';
import { DisputeProcessor } from './disputes/dispute.processor.js';
import { Allocations } from './reservations/allocation.service.js';
import { ReservationExpiry } from './reservations/expiry.processor.js';
import { StorageRun } from './storage/storage-run.service.js';
import { StorageProcessor } from './storage/storage.processor.js';

@Module({
  providers: [
    Allocations,
    ChargeCatchUp,
    ChargeProcessor,
    DisputeProcessor,
    DisputeStates,
    ReservationExpiry,
    StorageProcessor,
    StorageRun,
  ],
})
export class WmsJobsModule {}
