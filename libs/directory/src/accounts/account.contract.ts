import { z } from 'zod';
import { line, page, search } from '@belay/platform';
import { id } from '../directory.contract.js';
import { companyWideRoles, isCompanyWide, permissions, roles } from '../directory.permissions.js';
import { consents } from '../people/consent.entity.js';
import { personView } from '../people/person.contract.js';

const siteId = id.nullable().describe('The site at which it is held; null is everywhere');

const roleAt = z
  .strictObject({ role: z.enum(roles), siteId })
  .refine(({ role, siteId }) => siteId === null || !companyWideRoles.has(role), {
    path: ['siteId'],
    error: 'must be null: the role concerns the company as a whole',
  })
  .meta({ id: 'RoleAt' });

const permissionAt = z
  .strictObject({ permission: z.string().refine((name) => permissions.has(name), 'is no permission'), siteId })
  .refine(({ permission, siteId }) => siteId === null || !isCompanyWide(permission), {
    path: ['siteId'],
    error: 'must be null: the permission concerns the company as a whole',
  })
  .meta({ id: 'PermissionAt' });

const details = {
  username: z
    .string()
    .trim()
    .toLowerCase()
    .regex(/^[a-z0-9][a-z0-9._@-]{1,63}$/, 'must be 2 to 64 letters, digits, dots, underscores, hyphens or @')
    .describe('Unique; kept in lower case'),
  displayName: line(120),
  givenName: line(80).nullable(),
  familyName: line(80).nullable(),
  email: z.email().max(254).toLowerCase().nullable(),
  employeeNo: line(40).nullable(),
  avatarUrl: z
    .url({ protocol: /^https$/ })
    .max(500)
    .nullable(),
  locale: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?$/, 'must be a language tag such as en or pt-BR'),
};

/** Twelve characters and other rules are answered with their own problem, `password-too-weak`. */
const password = z.string().max(1_000).describe('Must be changed at the first sign-in');

export const draftAccount = z
  .strictObject({
    kind: z.enum(['person', 'machine']).default('person'),
    username: details.username,
    displayName: details.displayName,
    givenName: details.givenName.default(null),
    familyName: details.familyName.default(null),
    email: details.email.default(null),
    employeeNo: details.employeeNo.default(null),
    avatarUrl: details.avatarUrl.default(null),
    locale: details.locale.default('en'),
    password: password.optional(),
    roles: z.array(roleAt).max(200).default([]),
  })
  .refine(({ kind, password }) => kind === 'person' || password === undefined, {
    path: ['password'],
    error: 'must be absent: a machine shows a token',
  })
  .meta({ id: 'DraftAccount' });
export type DraftAccount = z.infer<typeof draftAccount>;

export const changeAccount = z
  .strictObject({ ...details, password, status: z.enum(['active', 'suspended']) })
  .partial()
  .meta({ id: 'ChangeAccount' });
export type ChangeAccount = z.infer<typeof changeAccount>;

export const grantRoles = z
  .strictObject({
    roles: z.array(roleAt).max(200),
    permissions: z.array(permissionAt).max(200).default([]).describe('Given by name, beside those of the roles'),
  })
  .meta({ id: 'GrantRoles' });
export type GrantRoles = z.infer<typeof grantRoles>;

export const accountView = personView
  .extend({
    locale: z.string(),
    consent: z.enum(consents).nullable().describe('Null: the person was never asked'),
    roles: z.array(z.object({ role: z.string(), siteId: id.nullable() })),
    permissions: z.array(z.object({ permission: z.string(), siteId: id.nullable() })).describe('Given by name'),
    createdAt: z.iso.datetime(),
    rowVersion: z.number().int(),
  })
  .meta({ id: 'Account' });
export type AccountView = z.infer<typeof accountView>;

export const accountFilter = page.extend({
  search: search.describe('Part of a name, username, e-mail or employee number that you may see'),
  teamId: id.optional(),
  siteId: id.optional(),
  role: z.enum(roles).optional(),
  status: z.enum(['active', 'suspended', 'left']).optional(),
});
export type AccountFilter = z.infer<typeof accountFilter>;
