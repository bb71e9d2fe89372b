import { statement } from '@belay/platform';

export const unassignedTokens = statement<{ readonly tokens: number }>(
  'production.count_unassigned_tokens',
  `SELECT count(*)::integer AS tokens FROM production.flow_token t
   WHERE t.status = 'ready' AND t.hold_code IS NULL
     AND NOT EXISTS (SELECT FROM production.token_assignment a
                     WHERE a.token_id = t.id AND a.status IN ('assigned', 'accepted', 'started', 'paused'))`,
);

export const openFindings = statement<{ readonly kind: string; readonly findings: number }>(
  'production.count_open_findings',
  `SELECT kind, count(*)::integer AS findings FROM production.health_finding WHERE resolved_at IS NULL GROUP BY 1`,
);

export const heldTokens = statement<{ readonly holdCode: string; readonly tokens: number }>(
  'production.count_held_tokens',
  `SELECT hold_code AS "holdCode", count(*)::integer AS tokens FROM production.flow_token
   WHERE hold_code IS NOT NULL AND status IN ('ready', 'waiting', 'active', 'paused') GROUP BY 1`,
);
