import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  ForeignKey,
  Index,
  PrimaryColumn,
  Unique,
  VersionColumn,
} from 'typeorm';
import { Site } from '../sites/site.entity.js';

export const teamCategories = ['cutting', 'sewing', 'qc', 'finishing', 'general'] as const;
export const productionModes = ['atelier', 'oem', 'hybrid'] as const;
export const loadModes = ['count', 'weighted', 'minutes', 'combined'] as const;
export const dispatchModes = ['PUSH', 'TEAM_PULL'] as const;

@Entity({ schema: 'directory', name: 'team' })
@Unique('team_code_is_unique', ['code'])
@Index('team_by_site', ['siteId'])
@Check('team_category_is_known', `team_category IN ('cutting', 'sewing', 'qc', 'finishing', 'general')`)
@Check('team_production_mode_is_known', `production_mode IN ('atelier', 'oem', 'hybrid')`)
@Check('team_load_mode_is_known', `load_mode IN ('count', 'weighted', 'minutes', 'combined')`)
@Check('team_dispatch_mode_is_known', `dispatch_mode IN ('PUSH', 'TEAM_PULL')`)
export class Team {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'text' })
  code!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'uuid', name: 'site_id' })
  @ForeignKey(() => Site, { name: 'team_is_at_a_site' })
  siteId!: string;

  @Column({ type: 'text', name: 'team_category' })
  teamCategory!: (typeof teamCategories)[number];

  @Column({ type: 'text', name: 'production_mode', default: 'hybrid' })
  productionMode!: (typeof productionModes)[number];

  /** How the load of its members is counted when work is shared out. */
  @Column({ type: 'text', name: 'load_mode', default: 'count' })
  loadMode!: (typeof loadModes)[number];

  @Column({ type: 'text', name: 'dispatch_mode', default: 'PUSH' })
  dispatchMode!: (typeof dispatchModes)[number];

  @Column({ type: 'boolean', default: true })
  active!: boolean;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @VersionColumn({ type: 'integer', name: 'row_version' })
  rowVersion!: number;
}
