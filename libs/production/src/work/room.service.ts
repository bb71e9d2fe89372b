import { Injectable } from '@nestjs/common';
import { Database, type Caller } from '@belay/platform';
import { TokenLifecycle } from '../lifecycle/token-lifecycle.service.js';
import { Commands } from '../production.command.js';
import { heldForRoom, nodesInScope } from './queue.queries.js';
import { scopeColumns, type Scope } from './scope.rules.js';

const AT_ONCE = 100;

/** Has tokens try again whose next node had no room for them, not even in its queue. */
@Injectable()
export class RoomService {
  constructor(
    private readonly commands: Commands,
    private readonly database: Database,
    private readonly lifecycle: TokenLifecycle,
  ) {}

  /** Those that lead to the scope, or all of them, in the order of their turn; each in a transaction of its own. */
  async fill(by: Caller, scope: Scope | null, checkpoint: () => void): Promise<void> {
    const on = this.database.dataSource;
    const nodes = scope ? (await nodesInScope(on, scopeColumns([scope]).values)).map(({ id }) => id) : null;
    for (const { id } of await heldForRoom(on, [nodes, AT_ONCE])) {
      await this.commands.onToken(by, id, { cause: 'wake', hold: 'route' }, async (command, token) => {
        if (token.holdCode === 'QUEUE_LIMIT' && token.instanceStatus === 'active') {
          await this.lifecycle.routeToken(command, token);
        }
        checkpoint();
      });
    }
  }
}
