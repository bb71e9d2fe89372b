import { z } from 'zod';

const problem = z.object({
  title: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ detail: z.string() }).loose()).optional(),
});

/** Belay has refused, and says why. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
}

/** What the API at `url` answered; throws `ApiRefusal` with what the problem says when it is one. */
export async function answerOf(response: Response, url: string): Promise<unknown> {
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  const refusal = problem.safeParse(answer);
  if (!refusal.success) throw new ApiRefusal(`${url} answered ${response.status}.`);
  const { title, detail, errors = [] } = refusal.data;
  throw new ApiRefusal([`${title}. ${detail}`, ...errors.slice(0, 20).map((error) => `  ${error.detail}`)].join('\n'));
}
