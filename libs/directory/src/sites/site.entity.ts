import { Check, Column, CreateDateColumn, Entity, PrimaryColumn, Unique, VersionColumn } from 'typeorm';
import type { Address, SiteKind, WorkingHours } from './site.contract.js';

@Entity({ schema: 'directory', name: 'site' })
@Unique('site_code_is_unique', ['code'])
@Check('site_kind_is_known', `kind IN ('plant', 'warehouse', 'property', 'office')`)
export class Site {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'text' })
  code!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  kind!: SiteKind;

  @Column({ type: 'jsonb', nullable: true })
  address!: Address | null;

  @Column({ type: 'text', name: 'time_zone' })
  timeZone!: string;

  @Column({ type: 'jsonb', name: 'working_hours' })
  workingHours!: WorkingHours;

  @Column({ type: 'date', array: true, default: () => `'{}'` })
  holidays!: string[];

  @Column({ type: 'boolean', default: true })
  active!: boolean;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @VersionColumn({ type: 'integer', name: 'row_version' })
  rowVersion!: number;
}
