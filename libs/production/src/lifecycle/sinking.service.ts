import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { PublishedNode, PublishedVersion } from '../graphs/published-version.rules.js';
import type { Journey } from './journey.rules.js';
import { inherited, type Traveller } from './traveller.rules.js';

/** Begins anew what came to a rework sink: the old token is consumed, a new one stands where its reason says. */
@Injectable()
export class Sinking {
  /** Answers the new tokens, each at its node. */
  sink(journey: Journey, version: PublishedVersion, tokens: readonly Traveller[]): Traveller[] {
    return tokens.flatMap((token) => {
      const target = targetOf(token, version);
      if (target) return [beginAnew(journey, token, target)];
      token.hold('NO_ROUTE');
      return [];
    });
  }
}

function targetOf(token: Traveller, version: PublishedVersion): PublishedNode | undefined {
  const map = version.node(token.nodeId).reasonMap ?? {};
  const reason = token.qcResult?.['defectType'];
  const code = (typeof reason === 'string' ? map[reason] : undefined) ?? map['default'];
  return code === undefined ? undefined : version.nodeOfCode(code);
}

function beginAnew(journey: Journey, token: Traveller, target: PublishedNode): Traveller {
  const { facts } = token;
  const metadata = inherited(token.metadata);
  const anew = journey.make(
    {
      id: randomUUIDv7(),
      instanceId: journey.job.instanceId,
      type: facts.type,
      serial: facts.serial,
      serialRev: facts.serialRev,
      parentId: facts.parentId,
      groupId: facts.groupId,
      branchKey: facts.branchKey,
      branchNo: facts.branchNo,
      nodeId: target.id,
      status: 'ready',
      qty: token.qty,
      reworkCount: token.reworkCount + 1,
      reworkLimit: facts.reworkLimit,
      priority: facts.priority,
      metadata,
      replacesTokenId: token.id,
      firstSpawnedAt: facts.firstSpawnedAt,
    },
    facts.firstSpawnedAt,
  );
  token.become('consumed');
  token.tell('REWORK', { into: anew.id, nodeCode: target.code });
  token.end('consumed', 'reworked');
  anew.tell('TOKEN_CREATE', { replacesTokenId: token.id, parentId: facts.parentId, groupId: facts.groupId });
  anew.enter(target.id);
  anew.mustBeLetIn = true;
  return anew;
}
