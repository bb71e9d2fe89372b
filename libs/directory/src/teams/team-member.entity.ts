import { Check, Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn, VersionColumn } from 'typeorm';
import { Account } from '../accounts/account.entity.js';
import { Team } from './team.entity.js';

export const memberRoles = ['lead', 'supervisor', 'qc', 'member', 'trainee'] as const;
export type MemberRole = (typeof memberRoles)[number];

/** One stay of a person in a team; it is closed when they leave, and coming back opens another. */
@Entity({ schema: 'directory', name: 'team_member' })
@Index('team_member_is_in_a_team_once', ['teamId', 'accountId'], { unique: true, where: 'removed_at IS NULL' })
@Index('team_member_by_account', ['accountId'], { where: 'removed_at IS NULL' })
@Check('team_member_role_is_known', `role IN ('lead', 'supervisor', 'qc', 'member', 'trainee')`)
@Check('team_member_capacity_is_not_negative', `capacity_per_day >= 0`)
@Check('team_member_sort_priority_is_up_to_100', `sort_priority BETWEEN 0 AND 100`)
@Check('team_member_leaves_after_joining', `removed_at >= joined_at`)
export class TeamMember {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid', name: 'team_id' })
  @ForeignKey(() => Team, { name: 'team_member_is_in_a_team' })
  teamId!: string;

  @Column({ type: 'uuid', name: 'account_id' })
  @ForeignKey(() => Account, { name: 'team_member_is_an_account' })
  accountId!: string;

  @Column({ type: 'text', default: 'member' })
  role!: MemberRole;

  @Column({ type: 'integer', name: 'capacity_per_day', default: 10 })
  capacityPerDay!: number;

  /** Lower comes first. */
  @Column({ type: 'integer', name: 'sort_priority', default: 50 })
  sortPriority!: number;

  @Column({ type: 'boolean', default: true })
  active!: boolean;

  @Column({ type: 'timestamptz', name: 'joined_at', default: () => 'now()' })
  joinedAt!: Date;

  @Column({ type: 'timestamptz', name: 'removed_at', nullable: true })
  removedAt!: Date | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @VersionColumn({ type: 'integer', name: 'row_version' })
  rowVersion!: number;
}
