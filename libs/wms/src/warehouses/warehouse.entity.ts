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
import type { WarehouseAddress, WarehouseKind } from './warehouse.contract.js';

@Entity({ schema: 'wms', name: 'warehouse' })
@Index('warehouse_code_is_unique', { synchronize: false })
@Index('warehouse_by_site', ['siteId'])
@Check('warehouse_code_is_written', `code <> ''`)
@Check('warehouse_kind_is_known', `kind IN ('third_party', 'own', 'amazon_fba', 'amazon_awd')`)
@Check('latitude_is_on_earth', `lat BETWEEN -90 AND 90`)
@Check('longitude_is_on_earth', `lon BETWEEN -180 AND 180`)
@Check('warehouse_timezone_is_known', `timestamp '2000-01-01' AT TIME ZONE timezone IS NOT NULL`)
@Check('warehouse_currency_has_at_most_two_decimals', `currency ~ '^[A-Z]{3}$' AND wms.currency_scale(currency) <= 2`)
@Check('billing_cycle_start_day_is_in_every_month', `billing_cycle_start_day BETWEEN 1 AND 28`)
@Check('storage_snapshot_isodow_is_a_weekday', `storage_snapshot_isodow BETWEEN 1 AND 7`)
@Check('storage_method_is_known', `storage_method IN ('pallet_week')`)
@Check('recon_abs_tolerance_is_not_negative', `recon_abs_tolerance >= 0`)
@Check('recon_pct_tolerance_is_not_negative', `recon_pct_tolerance >= 0`)
export class Warehouse {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid', name: 'site_id' })
  siteId!: string;

  @Column({ type: 'text' })
  code!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  kind!: WarehouseKind;

  @Column({ type: 'jsonb', nullable: true })
  address!: WarehouseAddress | null;

  @Column({ type: 'numeric', precision: 9, scale: 6, nullable: true })
  lat!: string | null;

  @Column({ type: 'numeric', precision: 9, scale: 6, nullable: true })
  lon!: string | null;

  @Column({ type: 'text', name: 'contact_email', nullable: true })
  contactEmail!: string | null;

  @Column({ type: 'text', name: 'contact_phone', nullable: true })
  contactPhone!: string | null;

  @Column({ type: 'text' })
  timezone!: string;

  @Column({ type: 'char', length: 3, default: 'GBP' })
  currency!: string;

  @Column({ type: 'integer', name: 'billing_cycle_start_day', default: 16 })
  billingCycleStartDay!: number;

  @Column({ type: 'integer', name: 'storage_snapshot_isodow', default: 1 })
  storageSnapshotIsodow!: number;

  @Column({ type: 'text', name: 'storage_method', default: 'pallet_week' })
  storageMethod!: 'pallet_week';

  @Column({ type: 'date', name: 'closed_through', nullable: true })
  closedThrough!: string | null;

  @Column({ type: 'boolean', name: 'block_on_missing_rate', default: false })
  blockOnMissingRate!: boolean;

  @Column({ type: 'numeric', precision: 14, scale: 2, name: 'recon_abs_tolerance', default: () => '0.01' })
  reconAbsTolerance!: string;

  @Column({
    type: 'numeric',
    precision: 6,
    scale: 4,
    name: 'recon_pct_tolerance',
    default: '0',
    comment: 'In percent of the expected amount: 1.5 means 1.5 %',
  })
  reconPctTolerance!: string;

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
