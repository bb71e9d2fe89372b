import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { Site } from '../sites/site.entity.js';
import { Account } from './account.entity.js';

/** A role held at one site, or everywhere when `siteId` is null. */
@Entity({ schema: 'directory', name: 'account_role' })
@Unique('role_is_given_once', ['accountId', 'role', 'siteId'])
@Index('account_role_by_site', ['siteId', 'accountId'])
export class AccountRole {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid', name: 'account_id' })
  @ForeignKey(() => Account, { name: 'role_is_of_an_account' })
  accountId!: string;

  @Column({ type: 'text' })
  role!: string;

  @Column({ type: 'uuid', name: 'site_id', nullable: true })
  @ForeignKey(() => Site, { name: 'role_is_at_a_site' })
  siteId!: string | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
