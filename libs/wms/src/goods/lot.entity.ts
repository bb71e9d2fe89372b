import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  ForeignKey,
  Index,
  PrimaryColumn,
  Unique,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';
import type { LotStatus } from './lot.contract.js';
import { Sku } from './sku.entity.js';

@Entity({ schema: 'wms', name: 'lot' })
@Unique('lot_is_of_one_sku', ['id', 'skuId'])
@Index('lot_code_is_unique', { synchronize: false })
@Check('lot_code_is_written', `code <> ''`)
@Check('units_per_carton_is_positive', `units_per_carton > 0`)
@Check('carton_length_is_positive', `carton_length_mm > 0`)
@Check('carton_width_is_positive', `carton_width_mm > 0`)
@Check('carton_height_is_positive', `carton_height_mm > 0`)
@Check('carton_weight_is_positive', `carton_weight_g > 0`)
@Check('lot_storage_cartons_per_pallet_is_positive', `storage_cartons_per_pallet > 0`)
@Check('lot_shipping_cartons_per_pallet_is_positive', `shipping_cartons_per_pallet > 0`)
@Check('lot_status_is_known', `status IN ('available', 'hold', 'quarantine', 'expired', 'recalled')`)
@Check(
  'lot_dates_are_in_order',
  `manufactured_on <= best_before_on AND best_before_on <= expires_on AND manufactured_on <= expires_on`,
)
export class Lot {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid', name: 'sku_id' })
  @ForeignKey(() => Sku, { name: 'lot_is_of_a_sku', onDelete: 'RESTRICT' })
  skuId!: string;

  @Column({ type: 'text' })
  code!: string;

  @Column({ type: 'integer', name: 'units_per_carton' })
  unitsPerCarton!: number;

  @Column({ type: 'integer', name: 'carton_length_mm', nullable: true })
  cartonLengthMm!: number | null;

  @Column({ type: 'integer', name: 'carton_width_mm', nullable: true })
  cartonWidthMm!: number | null;

  @Column({ type: 'integer', name: 'carton_height_mm', nullable: true })
  cartonHeightMm!: number | null;

  @Column({ type: 'integer', name: 'carton_weight_g', nullable: true })
  cartonWeightG!: number | null;

  @Column({ type: 'integer', name: 'storage_cartons_per_pallet', nullable: true })
  storageCartonsPerPallet!: number | null;

  @Column({ type: 'integer', name: 'shipping_cartons_per_pallet', nullable: true })
  shippingCartonsPerPallet!: number | null;

  @Column({ type: 'date', name: 'manufactured_on', nullable: true })
  manufacturedOn!: string | null;

  @Column({ type: 'date', name: 'best_before_on', nullable: true })
  bestBeforeOn!: string | null;

  @Column({ type: 'date', name: 'expires_on', nullable: true })
  expiresOn!: string | null;

  @Column({ type: 'text', default: 'available' })
  status!: LotStatus;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;

  @Column({ type: 'uuid', name: 'created_by' })
  createdBy!: string;

  /** Also moved by the database whenever the row changes. */
  @VersionColumn({ type: 'integer', name: 'row_version', default: 1 })
  rowVersion!: number;
}
