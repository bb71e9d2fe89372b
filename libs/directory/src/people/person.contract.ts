import { z } from 'zod';
import { consents } from './consent.entity.js';

/** A person or machine as shown to the caller; what is masked is named in `masked`. */
export const personView = z
  .object({
    id: z.uuid(),
    kind: z.enum(['person', 'machine']),
    status: z.enum(['active', 'suspended', 'left']),
    displayName: z.string().describe('Full, one letter, or “Operator #…”'),
    givenName: z.string().nullable(),
    familyName: z.string().nullable(),
    username: z.string().nullable(),
    email: z.string().nullable(),
    employeeNo: z.string().nullable(),
    avatarUrl: z.string().nullable(),
    masked: z
      .array(z.enum(['name', 'username', 'email', 'employeeNo', 'avatar']))
      .describe('Fields you do not see in full'),
  })
  .meta({ id: 'Person' });
export type PersonView = z.infer<typeof personView>;

export const changeConsent = z
  .strictObject({ value: z.enum(consents).describe('How the person agrees to be shown to others') })
  .meta({ id: 'ChangeConsent' });
export type ChangeConsent = z.infer<typeof changeConsent>;

export const consentView = z
  .object({
    accountId: z.uuid(),
    value: z.enum(consents),
    source: z.enum(['self', 'manager', 'people']),
    at: z.iso.datetime(),
  })
  .meta({ id: 'Consent' });
export type ConsentView = z.infer<typeof consentView>;
