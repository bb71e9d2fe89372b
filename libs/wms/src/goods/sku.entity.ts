import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  PrimaryColumn,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';
import type { PickStrategy } from '../stock/pick.rules.js';

@Entity({ schema: 'wms', name: 'sku' })
@Index('sku_code_is_unique', { synchronize: false })
@Check('sku_code_is_written', `code <> ''`)
@Check('sku_description_fits', `length(description) <= 255`)
@Check('sku_pack_size_is_positive', `pack_size > 0`)
@Check('pick_strategy_is_known', `pick_strategy IN ('fifo', 'fefo', 'lifo')`)
@Check('min_shelf_life_is_not_negative', `min_shelf_life_days >= 0`)
@Check('reorder_point_is_a_quantity', `reorder_point BETWEEN 0 AND 9007199254740991`)
@Check('safety_stock_is_a_quantity', `safety_stock BETWEEN 0 AND 9007199254740991`)
@Check('sku_unit_weight_is_positive', `unit_weight_g > 0`)
@Check('sku_unit_length_is_positive', `unit_length_mm > 0`)
@Check('sku_unit_width_is_positive', `unit_width_mm > 0`)
@Check('sku_unit_height_is_positive', `unit_height_mm > 0`)
@Check('default_units_per_carton_is_positive', `default_units_per_carton > 0`)
@Check('default_carton_length_is_positive', `default_carton_length_mm > 0`)
@Check('default_carton_width_is_positive', `default_carton_width_mm > 0`)
@Check('default_carton_height_is_positive', `default_carton_height_mm > 0`)
@Check('default_carton_weight_is_positive', `default_carton_weight_g > 0`)
@Check('what_expires_first_is_picked_first', `NOT expiry_tracked OR pick_strategy = 'fefo'`)
@Check('only_lots_expire', `NOT expiry_tracked OR lot_tracked`)
export class Sku {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'text' })
  code!: string;

  @Column({ type: 'text' })
  description!: string;

  @Column({ type: 'text', nullable: true })
  asin!: string | null;

  @Column({ type: 'text', nullable: true })
  gtin!: string | null;

  @Column({ type: 'integer', name: 'pack_size', nullable: true })
  packSize!: number | null;

  @Column({ type: 'boolean', name: 'lot_tracked', default: true })
  lotTracked!: boolean;

  @Column({ type: 'boolean', name: 'expiry_tracked', default: false })
  expiryTracked!: boolean;

  @Column({ type: 'text', name: 'pick_strategy', default: 'fifo' })
  pickStrategy!: PickStrategy;

  @Column({ type: 'integer', name: 'min_shelf_life_days', nullable: true })
  minShelfLifeDays!: number | null;

  @Column({ type: 'bigint', name: 'reorder_point', nullable: true })
  reorderPoint!: string | null;

  @Column({ type: 'bigint', name: 'safety_stock', nullable: true })
  safetyStock!: string | null;

  @Column({ type: 'integer', name: 'unit_weight_g', nullable: true })
  unitWeightG!: number | null;

  @Column({ type: 'integer', name: 'unit_length_mm', nullable: true })
  unitLengthMm!: number | null;

  @Column({ type: 'integer', name: 'unit_width_mm', nullable: true })
  unitWidthMm!: number | null;

  @Column({ type: 'integer', name: 'unit_height_mm', nullable: true })
  unitHeightMm!: number | null;

  @Column({ type: 'integer', name: 'default_units_per_carton' })
  defaultUnitsPerCarton!: number;

  @Column({ type: 'integer', name: 'default_carton_length_mm', nullable: true })
  defaultCartonLengthMm!: number | null;

  @Column({ type: 'integer', name: 'default_carton_width_mm', nullable: true })
  defaultCartonWidthMm!: number | null;

  @Column({ type: 'integer', name: 'default_carton_height_mm', nullable: true })
  defaultCartonHeightMm!: number | null;

  @Column({ type: 'integer', name: 'default_carton_weight_g', nullable: true })
  defaultCartonWeightG!: number | null;

  @Column({ type: 'text', nullable: true })
  material!: string | null;

  @Column({ type: 'text', name: 'packaging_type', nullable: true })
  packagingType!: string | null;

  @Column({ type: 'text', nullable: true })
  notes!: string | null;

  @Column({ type: 'boolean', name: 'is_active', default: true })
  isActive!: boolean;

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
