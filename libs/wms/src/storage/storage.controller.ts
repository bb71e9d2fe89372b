import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import {
  storageFilter,
  storageLine,
  storageRunRequest,
  storageRunView,
  type StorageFilter,
  type StorageLine,
  type StorageRunRequest,
  type StorageRunView,
} from './storage.contract.js';
import { StorageService } from './storage.service.js';

@ApiTags('wms')
@InFeature('wms_finance')
@Controller('wms')
export class StorageController {
  constructor(private readonly storage: StorageService) {}

  @Get('storage-ledger')
  @Requires('wms.cost:read')
  @Endpoint('Find what was stored week by week', {
    returns: listOf(storageLine),
    problems: ['404 warehouse-not-found'],
    description: 'One line for each lot that was in stock at the end of the snapshot day, in the order of days.',
  })
  list(@By() by: Caller, @Query({ schema: storageFilter }) query: StorageFilter): Promise<List<StorageLine>> {
    return this.storage.list(by, query);
  }

  @Post('storage-runs')
  @Requires('wms.cost:run')
  @Endpoint('Run the storage of some weeks again', {
    status: 201,
    returns: storageRunView,
    problems: ['404 warehouse-not-found'],
    description:
      'Weeks that are over, from the ledger, the stacking and the rates as they are now. It happens by itself every hour; ' +
      'again it changes nothing. Other weeks that are in doubt are put right too. Lines of closed periods stay as they are.',
  })
  run(@By() by: Caller, @Body({ schema: storageRunRequest }) body: StorageRunRequest): Promise<StorageRunView> {
    return this.storage.run(by, body);
  }
}
