import { Injectable } from '@nestjs/common';
import { Versions } from '../graphs/version.reader.js';
import { Commands, type Command, type LockedToken } from '../production.command.js';
import { scopeOf } from '../work/scope.rules.js';
import { Wake } from '../work/wake.service.js';
import { Journey } from './journey.rules.js';
import { Routing } from './routing.service.js';
import { Scrapping } from './scrapping.service.js';
import { Spawning } from './spawning.service.js';
import { liveTokens } from './spawn.queries.js';

/** What the rest of production asks of tokens, inside commands that hold the job alone. */
@Injectable()
export class TokenLifecycle {
  constructor(
    private readonly commands: Commands,
    private readonly routing: Routing,
    private readonly scrapping: Scrapping,
    private readonly spawning: Spawning,
    private readonly versions: Versions,
    private readonly wake: Wake,
  ) {}

  /** The tokens of a started job, made once; `tokens` says how many top-level ones there are. */
  spawnTokens(command: Command, ticketId: string): Promise<{ readonly spawned: boolean; readonly tokens: number }> {
    return this.spawning.spawn(command, ticketId);
  }

  /** One batch that begins at the node, instead of the tokens that a start makes. */
  enterAt(command: Command, ticketId: string, at: { readonly nodeCode: string; readonly qty: number }): Promise<void> {
    return this.spawning.enter(command, ticketId, at);
  }

  /** Routes on a token that is done where it is. */
  routeToken(command: Command, token: LockedToken): Promise<void> {
    const journey = new Journey(token);
    return this.routing.run(command, journey, { onward: [journey.join(token)] });
  }

  /** What lives of an instance, locked. */
  async lockLive(command: Command, instanceId: string): Promise<LockedToken[]> {
    const live = await liveTokens(command.tx, [instanceId]);
    return this.commands.lockMore(
      command,
      live.map(({ id }) => id),
    );
  }

  /** Whoever waits for a place where the tokens, all of one instance, stand is looked at again. */
  async wakeScopes(command: Command, tokens: readonly LockedToken[]): Promise<void> {
    const [one] = tokens;
    if (!one) return;
    const version = await this.versions.get(command.tx, one.versionId);
    const nodes = new Set(tokens.flatMap(({ nodeId }) => nodeId ?? []));
    const scopes = [...nodes].map((id) => scopeOf({ ...version.node(id), graphId: version.graphId }, one.instanceId));
    await this.wake.ringAll(command, scopes);
  }

  /** Everything that lives of an instance is scrapped, because it is given up as a whole. */
  async scrapInstance(command: Command, instanceId: string, reason: string): Promise<void> {
    const tokens = await this.lockLive(command, instanceId);
    const [one] = tokens;
    if (!one) return;
    const journey = new Journey(one);
    const travellers = tokens.map((token) => journey.join(token));
    await this.scrapping.scrap(command, journey, travellers, { reason: 'cancel', note: reason });
    await this.routing.abandon(command, journey);
  }
}
