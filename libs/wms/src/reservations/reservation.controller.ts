import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, FinishesOpenWork, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import { postedMovementView, type PostedMovementView } from '../movements/movement.contract.js';
import { id } from '../wms.contract.js';
import {
  allocateMore,
  draftReservation,
  fulfilReservation,
  reservationFilter,
  reservationView,
  type AllocateMore,
  type DraftReservation,
  type FulfilReservation,
  type ReservationFilter,
  type ReservationView,
} from './reservation.contract.js';
import { ReservationService } from './reservation.service.js';
import { ReservedShipment } from './reserved-shipment.service.js';

@ApiTags('wms')
@Controller('wms/reservations')
export class ReservationController {
  constructor(
    private readonly reservations: ReservationService,
    private readonly shipments: ReservedShipment,
  ) {}

  @Get()
  @Requires('wms.inventory:read')
  @Endpoint('Find reservations', { returns: listOf(reservationView), description: 'Newest first.' })
  list(
    @By() by: Caller,
    @Query({ schema: reservationFilter }) query: ReservationFilter,
  ): Promise<List<ReservationView>> {
    return this.reservations.list(by, query);
  }

  @Post()
  @InFeature('wms_write')
  @Requires('wms.reservation:write')
  @Endpoint('Reserve stock', {
    status: 201,
    returns: reservationView,
    idempotency: 'required',
    problems: [
      '404 warehouse-not-found',
      '409 insufficient-stock',
      '409 source-line-reserved',
      '409 inactive-master-data',
      '409 lot-blocked',
      '409 busy-retry',
    ],
    description:
      'Takes what the strategy says from places where goods are picked; goods at docks and in staging are not.',
  })
  reserve(@By() by: Caller, @Body({ schema: draftReservation }) body: DraftReservation): Promise<ReservationView> {
    return this.reservations.reserve(by, body);
  }

  @Get(':id')
  @Requires('wms.inventory:read')
  @Endpoint('Read a reservation', { returns: reservationView, problems: ['404 reservation-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) reservation: string): Promise<ReservationView> {
    return this.reservations.get(by, reservation);
  }

  @Post(':id/allocate')
  @InFeature('wms_write')
  @Requires('wms.reservation:write')
  @Endpoint('Look again for what a reservation is short of', {
    returns: reservationView,
    idempotency: 'required',
    problems: [
      '404 reservation-not-found',
      '409 reservation-not-open',
      '409 insufficient-stock',
      '409 inactive-master-data',
      '409 busy-retry',
    ],
  })
  allocate(
    @By() by: Caller,
    @Param('id', { schema: id }) reservation: string,
    @Body({ schema: allocateMore }) body: AllocateMore,
  ): Promise<ReservationView> {
    return this.reservations.allocate(by, reservation, body);
  }

  @Post(':id/release')
  @InFeature('wms_write')
  @FinishesOpenWork()
  @Requires('wms.reservation:write')
  @Endpoint('Give back what a reservation holds', {
    returns: reservationView,
    idempotency: 'required',
    problems: ['404 reservation-not-found', '409 busy-retry'],
    description: 'What was fulfilled stays so. Doing it again, or when nothing is held any more, changes nothing.',
  })
  release(@By() by: Caller, @Param('id', { schema: id }) reservation: string): Promise<ReservationView> {
    return this.reservations.release(by, reservation);
  }

  @Post(':id/fulfil')
  @InFeature('wms_write')
  @FinishesOpenWork()
  @Requires('wms.reservation:write')
  @Endpoint('Ship what a reservation holds', {
    status: 201,
    returns: postedMovementView,
    idempotency: 'required',
    problems: [
      '404 reservation-not-found',
      '409 reservation-not-open',
      '409 insufficient-stock',
      '409 lot-blocked',
      '409 period-closed',
      '409 backdating-not-allowed',
      '409 later-balance-negative',
      '409 inactive-master-data',
      '409 busy-retry',
    ],
  })
  fulfil(
    @By() by: Caller,
    @Param('id', { schema: id }) reservation: string,
    @Body({ schema: fulfilReservation }) body: FulfilReservation,
  ): Promise<PostedMovementView> {
    return this.shipments.fulfil(by, reservation, body);
  }
}
