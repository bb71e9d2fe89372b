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
import type { LocationType } from './location.contract.js';
import { Warehouse } from './warehouse.entity.js';

@Entity({ schema: 'wms', name: 'location' })
@Unique('location_is_in_one_warehouse', ['id', 'warehouseId'])
@ForeignKey(() => Location, ['parentId', 'warehouseId'], ['id', 'warehouseId'], {
  name: 'parent_is_in_the_same_warehouse',
  onDelete: 'RESTRICT',
})
@Index('location_code_is_unique', { synchronize: false })
@Check('location_is_not_inside_itself', `parent_id <> id`)
@Check('location_code_is_written', `code <> ''`)
@Check('location_type_is_known', `type IN ('zone', 'aisle', 'rack', 'bin', 'dock', 'staging', 'quarantine', 'virtual')`)
@Check('location_capacity_is_positive', `capacity_units > 0`)
@Check('goods_on_the_move_are_not_picked', `NOT is_pickable OR type NOT IN ('dock', 'staging', 'virtual')`)
export class Location {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid', name: 'warehouse_id' })
  @ForeignKey(() => Warehouse, { name: 'location_is_in_a_warehouse', onDelete: 'RESTRICT' })
  warehouseId!: string;

  @Column({ type: 'uuid', name: 'parent_id', nullable: true })
  parentId!: string | null;

  @Column({ type: 'text' })
  code!: string;

  @Column({ type: 'text' })
  type!: LocationType;

  @Column({ type: 'boolean', name: 'is_pickable', default: true })
  isPickable!: boolean;

  @Column({ type: 'integer', name: 'pick_priority', default: 100 })
  pickPriority!: number;

  @Column({ type: 'bigint', name: 'capacity_units', nullable: true })
  capacityUnits!: string | null;

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
