import { z } from 'zod';
import { page } from '@belay/platform';
import { id } from '../directory.contract.js';

export const skillCode = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be letters, digits, dots, underscores and hyphens, at most 64');

const details = {
  level: z.number().int().min(1).max(5),
  certifiedAt: z.iso.date().nullable().describe('The first day on which it counts'),
  expiresAt: z.iso.date().nullable().describe('The last day on which it counts'),
};

export const certifySkill = z
  .strictObject({
    level: details.level,
    certifiedAt: details.certifiedAt.default(null),
    expiresAt: details.expiresAt.default(null),
  })
  .refine(({ certifiedAt, expiresAt }) => certifiedAt === null || expiresAt === null || certifiedAt <= expiresAt, {
    path: ['expiresAt'],
    error: 'must not be before certifiedAt',
  })
  .meta({ id: 'CertifySkill' });
export type CertifySkill = z.infer<typeof certifySkill>;

export const skillView = z
  .object({ accountId: id, skillCode: z.string(), ...details, rowVersion: z.number().int() })
  .meta({ id: 'Skill' });
export type SkillView = z.infer<typeof skillView>;

export const skillFilter = page;
export type SkillFilter = z.infer<typeof skillFilter>;
