import { z } from 'zod';

/** What every failed request answers, as `application/problem+json` (RFC 9457). */
export const problem = z
  .looseObject({
    type: z.string().describe('Names the kind of problem; `about:blank` when the status says it all'),
    title: z.string().describe('The same for every case of this problem'),
    status: z.int(),
    detail: z.string().describe('About this case'),
    code: z.string().describe('Permanent slug of the problem: compare this'),
    requestId: z.string().describe('Finds the request in the logs'),
    errors: z
      .array(
        z.object({
          pointer: z.string().describe('`#/a/0/b` of the body, `?name` of the query, `:name` of the path'),
          detail: z.string(),
        }),
      )
      .optional()
      .describe('With `invalid-request`: every value that is wrong'),
  })
  .meta({ id: 'Problem' });
export type ProblemBody = z.infer<typeof problem>;
