import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { Account } from '../accounts/account.entity.js';

/** Good for one use. Those that came out of the same sign-in are a family, and are revoked together. */
@Entity({ schema: 'directory', name: 'refresh_token' })
@Unique('refresh_token_hash_is_unique', ['hash'])
@Index('refresh_token_by_family', ['family'])
@Index('refresh_token_by_account', ['accountId'])
@Index('refresh_token_by_expiry', ['expiresAt'])
export class RefreshToken {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid', name: 'account_id' })
  @ForeignKey(() => Account, { name: 'refresh_token_is_of_an_account' })
  accountId!: string;

  @Column({ type: 'uuid' })
  family!: string;

  /** SHA-256 in hex: the token itself is known to the client alone. */
  @Column({ type: 'text' })
  hash!: string;

  /** When the person last proved who they are; a refresh does not move it. */
  @Column({ type: 'timestamptz', name: 'authenticated_at' })
  authenticatedAt!: Date;

  @Column({ type: 'timestamptz', name: 'expires_at' })
  expiresAt!: Date;

  @Column({ type: 'timestamptz', name: 'used_at', nullable: true })
  usedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @Column({ type: 'text', nullable: true })
  client!: string | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
