/** Facts that the warehouse announces. They carry ids and what a stranger needs; bodies only ever gain fields. */
export interface WarehouseChanged {
  name: 'wms.warehouse.changed';
  body: { warehouseId: string; siteId: string; code: string; timezone: string; isActive: boolean };
}

/** The lot may be taken from stock again, or no longer. */
export interface LotStatusChanged {
  name: 'wms.lot.status-changed';
  body: { lotId: string; skuId: string; from: LotStatus; to: LotStatus };
}

type LotStatus = 'available' | 'hold' | 'quarantine' | 'expired' | 'recalled';

/** A movement, or storage, that nobody knows the price of: a basis has rates, and none that is valid on the day. */
export interface ChargeUnrated {
  name: 'wms.charge.unrated';
  body: { warehouseId: string; movementId: string | null; on: string; charges: { category: string; name: string }[] };
}

/** Days are those of the warehouse, both included. */
export interface PeriodClosed {
  name: 'wms.period.closed';
  body: { warehouseId: string; start: string; end: string };
}

export interface PeriodReopened {
  name: 'wms.period.reopened';
  body: { warehouseId: string; start: string; end: string };
}

/** `withdrawn`: its lot was blocked, so what it was promised of it was taken back. */
export interface ReservationChanged {
  name: 'wms.reservation.changed';
  body: {
    reservationId: string;
    warehouseId: string;
    skuId: string;
    lotId: string | null;
    source: { type: string; id: string; line: string };
    change: 'reserved' | 'allocated' | 'withdrawn' | 'released' | 'expired' | 'fulfilled';
    status: 'active' | 'partially_fulfilled' | 'fulfilled' | 'released' | 'expired';
    units: number;
    fulfilledUnits: number;
    shortUnits: number;
  };
}

/** `from` is null when it is new. */
export interface InvoiceChanged {
  name: 'wms.invoice.changed';
  body: {
    invoiceId: string;
    warehouseId: string;
    number: string;
    from: string | null;
    status: string;
    total: string;
    currency: string;
  };
}

/** `overdue`: nobody has moved it on within the time that its state is given. */
export interface DisputeChanged {
  name: 'wms.dispute.changed';
  body: {
    disputeId: string;
    invoiceId: string;
    number: string;
    from: string | null;
    status: string;
    resolution: string | null;
    overdue: boolean;
  };
}

/** Checks of the warehouse found what must not be. */
export interface IntegrityFailed {
  name: 'wms.integrity.failed';
  body: { runId: string; checks: { name: string; severity: 'critical' | 'high'; violations: number }[] };
}

/** Stock has changed. A reversal is a movement too. */
export interface MovementPosted {
  name: 'wms.movement.posted';
  body: {
    movementId: string;
    number: string;
    warehouseId: string;
    kind: string;
    effectiveAt: string;
    reversesMovementId: string | null;
  };
}

/** Comes beside `wms.movement.posted` of the reversal; `movementId` is that of the reversal. */
export interface MovementReversed {
  name: 'wms.movement.reversed';
  body: MovementPosted['body'];
}
