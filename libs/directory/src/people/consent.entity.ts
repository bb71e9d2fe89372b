import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { Account } from '../accounts/account.entity.js';

export const consents = ['ACCEPTED', 'MASK_NAME', 'HIDE_AVATAR', 'REJECTED'] as const;
export type ConsentValue = (typeof consents)[number];
export type ConsentSource = 'self' | 'manager' | 'people';

/** How a person agreed to be shown to others; its history is in the audit log. */
@Entity({ schema: 'directory', name: 'consent' })
@Check('consent_value_is_known', `value IN ('ACCEPTED', 'MASK_NAME', 'HIDE_AVATAR', 'REJECTED')`)
@Check('consent_source_is_known', `source IN ('self', 'manager', 'people')`)
export class Consent {
  @PrimaryColumn({ type: 'uuid', name: 'account_id' })
  @ForeignKey(() => Account, { name: 'consent_is_of_an_account' })
  accountId!: string;

  @Column({ type: 'text', default: 'MASK_NAME' })
  value!: ConsentValue;

  @Column({ type: 'text' })
  source!: ConsentSource;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  at!: Date;
}
