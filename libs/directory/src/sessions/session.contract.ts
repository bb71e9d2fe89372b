import { z } from 'zod';
import { line } from '@belay/platform';
import { accountView } from '../accounts/account.contract.js';
import { id } from '../directory.contract.js';

// Loose on purpose: what can be no username is answered like one that nobody has.
const username = z.string().min(1).max(320);
const password = z.string().min(1).max(1_000);
const refreshToken = z.string().min(1).max(200);

export const signIn = z
  .strictObject({ username, password, client: line(200).optional().describe('What the person signs in from') })
  .meta({ id: 'SignIn' });
export type SignIn = z.infer<typeof signIn>;

export const refresh = z.strictObject({ refreshToken }).meta({ id: 'Refresh' });
export type Refresh = z.infer<typeof refresh>;

export const changePassword = z
  .strictObject({ currentPassword: password, newPassword: password })
  .meta({ id: 'ChangePassword' });
export type ChangePassword = z.infer<typeof changePassword>;

export const sessionView = z
  .object({
    tokenType: z.literal('Bearer'),
    accessToken: z.string(),
    expiresAt: z.iso.datetime().describe('Until when the access token is good'),
    refreshToken: z.string().describe('Good for one use'),
    refreshExpiresAt: z.iso.datetime(),
    mustChangePassword: z.boolean().describe('Until it is changed, nothing else is permitted'),
  })
  .meta({ id: 'Session' });
export type SessionView = z.infer<typeof sessionView>;

export const meView = z
  .object({
    account: accountView,
    mustChangePassword: z.boolean(),
    lastSignInAt: z.iso.datetime().nullable(),
    grants: z
      .array(z.object({ permission: z.string(), siteId: id.nullable() }))
      .describe('What this token may do, and at which site; null is everywhere'),
  })
  .meta({ id: 'Me' });
export type MeView = z.infer<typeof meView>;
