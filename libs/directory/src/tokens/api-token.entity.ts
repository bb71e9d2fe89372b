import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { Account } from '../accounts/account.entity.js';
import { Site } from '../sites/site.entity.js';

@Entity({ schema: 'directory', name: 'api_token' })
@Unique('api_token_hash_is_unique', ['hash'])
@Index('api_token_by_account', ['accountId'])
export class ApiToken {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid', name: 'account_id' })
  @ForeignKey(() => Account, { name: 'api_token_is_of_an_account' })
  accountId!: string;

  @Column({ type: 'text' })
  name!: string;

  /** The beginning of the token, by which its owner recognises it. */
  @Column({ type: 'text' })
  prefix!: string;

  /** SHA-256 in hex: the token itself was shown once and is not kept. */
  @Column({ type: 'text' })
  hash!: string;

  @Column({ type: 'text', array: true })
  scopes!: string[];

  @Column({ type: 'uuid', name: 'site_id', nullable: true })
  @ForeignKey(() => Site, { name: 'api_token_is_at_a_site' })
  siteId!: string | null;

  @Column({ type: 'timestamptz', name: 'expires_at' })
  expiresAt!: Date;

  @Column({ type: 'timestamptz', name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
