import { Injectable } from '@nestjs/common';
import { Versions } from '../graphs/version.reader.js';
import type { Command, LockedToken } from '../production.command.js';
import { clockWarnings } from '../work/device.rules.js';
import type { Journey } from './journey.rules.js';
import type { StepView } from './step.contract.js';
import { isLive } from './token.rules.js';

/** What a step answers. It is known from the journey, without asking again. */
@Injectable()
export class StepViews {
  constructor(private readonly versions: Versions) {}

  async of(command: Command, journey: Journey, token: LockedToken): Promise<StepView> {
    const version = await this.versions.get(command.tx, token.versionId);
    const { status, nodeId, holdCode, queueReason, writes } = journey.get(token.id) ?? { ...token, writes: 0 };
    const made = journey.travellers.filter(({ wasMade }) => wasMade).map(({ id }) => id);
    return {
      tokenId: token.id,
      status,
      holdCode,
      nodeId: isLive(status) ? nodeId : null,
      nodeCode: isLive(status) && nodeId !== null ? version.node(nodeId).code : null,
      queueReason,
      rowVersion: token.rowVersion + writes,
      made,
      warnings: clockWarnings(command.at, command.device),
    };
  }
}
