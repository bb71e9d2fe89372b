import { Injectable } from '@nestjs/common';
import { Database, type Caller } from '@belay/platform';
import type { PostedMovementView } from '../movements/movement.contract.js';
import { ShipService } from '../movements/ship.service.js';
import type { FulfilReservation } from './reservation.contract.js';
import { ReservationService, WRITE } from './reservation.service.js';

/** Ships what was promised, as a shipment of one line does that names the reservation. */
@Injectable()
export class ReservedShipment {
  constructor(
    private readonly database: Database,
    private readonly reservations: ReservationService,
    private readonly shipping: ShipService,
  ) {}

  async fulfil(
    by: Caller,
    id: string,
    { units = 0, palletsReported, ...document }: FulfilReservation,
  ): Promise<PostedMovementView> {
    const { warehouseId } = await this.reservations.writable(this.database.dataSource, by, id);
    const line = { reservation: id, cartons: 0, looseUnits: units, palletsReported };
    return this.shipping.ship(by, { ...document, warehouse: warehouseId, mergeLines: false, lines: [line] }, WRITE);
  }
}
