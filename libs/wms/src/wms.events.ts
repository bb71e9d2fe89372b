/** Facts that the warehouse announces. They carry ids and what a stranger needs; bodies only ever gain fields. */
export interface WarehouseChanged {
  name: 'wms.warehouse-changed';
  body: { warehouseId: string; siteId: string; code: string; timezone: string; isActive: boolean };
}

/** The lot may be taken from stock again, or no longer. */
export interface LotStatusChanged {
  name: 'wms.lot-status-changed';
  body: { lotId: string; skuId: string; from: LotStatus; to: LotStatus };
}

type LotStatus = 'available' | 'hold' | 'quarantine' | 'expired' | 'recalled';
