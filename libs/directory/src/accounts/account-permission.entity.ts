import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { Site } from '../sites/site.entity.js';
import { Account } from './account.entity.js';

/** A permission given to one account by name, beside those of its roles. */
@Entity({ schema: 'directory', name: 'account_permission' })
@Unique('permission_is_given_once', ['accountId', 'permission', 'siteId'])
@Index('account_permission_by_site', ['siteId', 'accountId'])
export class AccountPermission {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid', name: 'account_id' })
  @ForeignKey(() => Account, { name: 'permission_is_of_an_account' })
  accountId!: string;

  @Column({ type: 'text' })
  permission!: string;

  @Column({ type: 'uuid', name: 'site_id', nullable: true })
  @ForeignKey(() => Site, { name: 'permission_is_at_a_site' })
  siteId!: string | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
