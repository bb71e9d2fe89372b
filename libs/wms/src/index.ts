export { proposalView, type ProposalView } from './adjustments/proposal.contract.js';
export { countSummary, countView, type CountSummary, type CountView } from './counts/count.contract.js';
export { lotStockView, type LotStockView } from './goods/lot-stock.contract.js';
export { lotView, type LotView } from './goods/lot.contract.js';
export { palletSpecView, type PalletSpecView } from './goods/pallet-spec.contract.js';
export { skuView, type SkuView } from './goods/sku.contract.js';
export { reservationView, type ReservationView } from './reservations/reservation.contract.js';
export {
  ledgerLine,
  lotTrace,
  stockView,
  type LedgerLine,
  type LotTrace,
  type StockView,
} from './stock/stock.contract.js';
export {
  movementSummary,
  movementView,
  postedMovementView,
  type MovementSummary,
  type MovementView,
  type PostedMovementView,
} from './movements/movement.contract.js';
export { locationView, type LocationView } from './warehouses/location.contract.js';
export { warehouseView, type WarehouseView } from './warehouses/warehouse.contract.js';
export type {
  LotStatusChanged,
  MovementPosted,
  MovementReversed,
  ReservationChanged,
  WarehouseChanged,
} from './wms.events.js';
export { wms } from './wms.manifest.js';
