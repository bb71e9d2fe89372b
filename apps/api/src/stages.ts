import { Gate, Presence, Routes, Sessions, type Runtime, type StageBooter } from '@belay/platform';
import { z } from 'zod';
import { composeApi } from './compose.js';

const refusal = z.object({ code: z.string() });

/** Composes the API on copies of the database: what a backup is good for is what such an API answers. */
export function apiStages(runtime: Runtime): StageBooter {
  return {
    async boot(databaseUrl, enabled) {
      const { config, log, processId, role } = runtime;
      const app = await composeApi(
        {
          ...runtime,
          config: { ...config, DATABASE_URL: databaseUrl },
          gate: Gate.forLooking(runtime.domains, enabled),
          // What is asked here was not asked by a user, and nobody is told of this stage.
          presence: new Presence({ processId, role, buildSha: config.BUILD_SHA, pool: runtime.control, log }),
        },
        enabled,
      );
      const needed = app
        .get(Routes)
        .all.flatMap(({ access }) => (access.kind === 'permission' ? access.permission : []));
      return {
        async ask(method, path) {
          const authorization = `Bearer ${app.get(Sessions).vouch([...new Set(needed)])}`;
          const { statusCode, body } = await app.inject({ method, url: path, headers: { authorization } });
          const code = refusal.safeParse(body === '' ? null : safelyParsed(body)).data?.code;
          return { status: statusCode, code };
        },
        close: () => app.close(),
      };
    },
  };
}

function safelyParsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
