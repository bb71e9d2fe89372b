import { Body, Controller, Delete, Get, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  By,
  Endpoint,
  FinishesOpenWork,
  IfMatch,
  InFeature,
  Requires,
  type Caller,
  type List,
  type ProblemName,
} from '@belay/platform';
import { id } from '../wms.contract.js';
import { AdjustService } from './adjust.service.js';
import {
  adjustment,
  changeAttributes,
  movementFilter,
  movementList,
  movementView,
  postedMovementView,
  receipt,
  reversal,
  shipment,
  transfer,
  type Adjustment,
  type ChangeAttributes,
  type MovementFilter,
  type MovementSummary,
  type MovementView,
  type PostedMovementView,
  type Receipt,
  type Reversal,
  type Shipment,
  type Transfer,
} from './movement.contract.js';
import { ImmutableLedger } from './movement.problems.js';
import { MovementService } from './movement.service.js';
import { ReceiveService } from './receive.service.js';
import { ReverseService } from './reverse.service.js';
import { ShipService } from './ship.service.js';
import { TransferService } from './transfer.service.js';

const posting: readonly ProblemName[] = [
  '404 warehouse-not-found',
  '409 inactive-master-data',
  '409 insufficient-stock',
  '409 later-balance-negative',
  '409 period-closed',
  '409 backdating-not-allowed',
  '409 busy-retry',
];
const immutable = {
  description: 'Always refused: what was posted by mistake is reversed.',
  problems: ['405 immutable-ledger'] as const,
};

@ApiTags('wms')
@Controller('wms/movements')
export class MovementController {
  constructor(
    private readonly movements: MovementService,
    private readonly receipts: ReceiveService,
    private readonly shipments: ShipService,
    private readonly adjustments: AdjustService,
    private readonly transfers: TransferService,
    private readonly reversals: ReverseService,
  ) {}

  @Get()
  @Requires('wms.inventory:read')
  @Endpoint('Find movements', { returns: movementList, description: 'Those at your sites, the latest first.' })
  list(@By() by: Caller, @Query({ schema: movementFilter }) query: MovementFilter): Promise<List<MovementSummary>> {
    return this.movements.list(by, query);
  }

  @Get(':id')
  @Requires('wms.inventory:read')
  @Endpoint('Read a movement', { returns: movementView, problems: ['404 movement-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) movement: string): Promise<MovementView> {
    return this.movements.get(by, movement);
  }

  @Post('receive')
  @InFeature('wms_write')
  @Requires('wms.inventory:receive')
  @Endpoint('Receive goods', {
    status: 201,
    returns: postedMovementView,
    idempotency: 'required',
    problems: [...posting, '409 master-code-taken', '409 rate-missing'],
  })
  receive(@By() by: Caller, @Body({ schema: receipt }) body: Receipt): Promise<PostedMovementView> {
    return this.receipts.receive(by, body);
  }

  @Post('ship')
  @InFeature('wms_write')
  @Requires('wms.inventory:ship')
  @Endpoint('Ship goods', {
    status: 201,
    returns: postedMovementView,
    idempotency: 'required',
    problems: [
      ...posting,
      '404 reservation-not-found',
      '409 lot-blocked',
      '409 reservation-not-open',
      '409 rate-missing',
    ],
    description: 'From buckets that are named, from what is reserved, or from wherever the strategy finds it.',
  })
  ship(@By() by: Caller, @Body({ schema: shipment }) body: Shipment): Promise<PostedMovementView> {
    return this.shipments.ship(by, body);
  }

  @Post('adjust')
  @InFeature('wms_write')
  @Requires('wms.inventory:adjust')
  @Endpoint('Adjust stock', {
    status: 201,
    returns: postedMovementView,
    idempotency: 'required',
    problems: [...posting, '409 approval-needed'],
  })
  adjust(@By() by: Caller, @Body({ schema: adjustment }) body: Adjustment): Promise<PostedMovementView> {
    return this.adjustments.adjust(by, body);
  }

  @Post('transfer')
  @InFeature('wms_write')
  @Requires('wms.inventory:transfer')
  @Endpoint('Move goods inside a warehouse', {
    status: 201,
    returns: postedMovementView,
    idempotency: 'required',
    problems: [...posting, '409 lot-blocked'],
    description: 'To another location, into another status, or both.',
  })
  transfer(@By() by: Caller, @Body({ schema: transfer }) body: Transfer): Promise<PostedMovementView> {
    return this.transfers.transfer(by, body);
  }

  @Post(':id/reverse')
  @InFeature('wms_write')
  @FinishesOpenWork()
  @Requires('wms.inventory:reverse')
  @Endpoint('Reverse a movement', {
    status: 201,
    returns: postedMovementView,
    idempotency: 'required',
    problems: [...posting, '404 movement-not-found', '409 already-reversed'],
    description: 'A movement of its own takes back every line, and what they cost.',
  })
  reverse(
    @By() by: Caller,
    @Param('id', { schema: id }) movement: string,
    @Body({ schema: reversal }) body: Reversal,
  ): Promise<PostedMovementView> {
    return this.reversals.reverse(by, movement, body);
  }

  @Patch(':id/attributes')
  @InFeature('wms_write')
  @Requires('wms.inventory:annotate')
  @Endpoint('Change the papers of a movement', {
    returns: movementView,
    problems: ['404 movement-not-found', '412 precondition-failed'],
  })
  annotate(
    @By() by: Caller,
    @Param('id', { schema: id }) movement: string,
    @IfMatch() version: number,
    @Body({ schema: changeAttributes }) body: ChangeAttributes,
  ): Promise<MovementView> {
    return this.movements.annotate(by, movement, version, body);
  }

  @Put(':id')
  @Requires('wms.inventory:read')
  @Endpoint('Change a movement', immutable)
  put(@Param('id', { schema: id }) movement: string): never {
    throw new ImmutableLedger(movement);
  }

  @Delete(':id')
  @Requires('wms.inventory:read')
  @Endpoint('Delete a movement', immutable)
  delete(@Param('id', { schema: id }) movement: string): never {
    throw new ImmutableLedger(movement);
  }
}
