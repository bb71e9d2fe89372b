export type { LotStatusChanged, WarehouseChanged } from './wms.events.js';
export { wms } from './wms.manifest.js';
