import { Check, Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn, VersionColumn } from 'typeorm';
import { Account } from '../accounts/account.entity.js';

@Entity({ schema: 'directory', name: 'operator_skill' })
@Index('operator_skill_by_code', ['skillCode', 'level'])
@Check('skill_level_is_1_to_5', `level BETWEEN 1 AND 5`)
@Check('skill_expires_after_certification', `expires_at >= certified_at`)
export class OperatorSkill {
  @PrimaryColumn({ type: 'uuid', name: 'account_id' })
  @ForeignKey(() => Account, { name: 'skill_is_of_an_account' })
  accountId!: string;

  @PrimaryColumn({ type: 'text', name: 'skill_code' })
  skillCode!: string;

  @Column({ type: 'integer' })
  level!: number;

  /** A day; before it the skill does not count. */
  @Column({ type: 'date', name: 'certified_at', nullable: true })
  certifiedAt!: string | null;

  /** The last day on which the skill counts. */
  @Column({ type: 'date', name: 'expires_at', nullable: true })
  expiresAt!: string | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @VersionColumn({ type: 'integer', name: 'row_version' })
  rowVersion!: number;
}
