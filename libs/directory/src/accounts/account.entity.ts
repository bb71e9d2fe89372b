import { Check, Column, CreateDateColumn, Entity, Index, PrimaryColumn, Unique, VersionColumn } from 'typeorm';

export type AccountKind = 'person' | 'machine';
export type AccountStatus = 'active' | 'suspended' | 'left';

@Entity({ schema: 'directory', name: 'account' })
@Unique('account_username_is_unique', ['username'])
@Unique('account_email_is_unique', ['email'])
@Unique('account_employee_no_is_unique', ['employeeNo'])
@Check('account_kind_is_known', `kind IN ('person', 'machine')`)
@Check('account_status_is_known', `status IN ('active', 'suspended', 'left')`)
@Check('account_username_is_lower_case', `username = lower(username)`)
@Check('account_email_is_lower_case', `email = lower(email)`)
@Index('account_trigrams', { synchronize: false })
export class Account {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'text' })
  kind!: AccountKind;

  @Column({ type: 'text' })
  username!: string;

  @Column({ type: 'text', name: 'display_name' })
  displayName!: string;

  @Column({ type: 'text', name: 'given_name', nullable: true })
  givenName!: string | null;

  @Column({ type: 'text', name: 'family_name', nullable: true })
  familyName!: string | null;

  @Column({ type: 'text', nullable: true })
  email!: string | null;

  @Column({ type: 'text', name: 'employee_no', nullable: true })
  employeeNo!: string | null;

  @Column({ type: 'text', name: 'avatar_url', nullable: true })
  avatarUrl!: string | null;

  @Column({ type: 'text', default: 'active' })
  status!: AccountStatus;

  @Column({ type: 'boolean', name: 'must_change_password', default: false })
  mustChangePassword!: boolean;

  @Column({ type: 'timestamptz', name: 'password_changed_at', nullable: true })
  passwordChangedAt!: Date | null;

  @Column({ type: 'text', default: 'en' })
  locale!: string;

  /** Moved by each sign-in without a new version: it is no change of the account. */
  @Column({ type: 'timestamptz', name: 'last_sign_in_at', nullable: true })
  lastSignInAt!: Date | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @VersionColumn({ type: 'integer', name: 'row_version' })
  rowVersion!: number;
}
