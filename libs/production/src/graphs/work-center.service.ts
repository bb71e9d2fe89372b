import { randomUUIDv7 } from 'node:crypto';
import {
  containing,
  Database,
  decodeCursor,
  listFrom,
  PreconditionFailed,
  violates,
  type Caller,
  type List,
} from '@belay/platform';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Commands } from '../production.command.js';
import { SiteScope } from '../site-scope.service.js';
import { Wake } from '../work/wake.service.js';
import { CodeTaken, SiteNotFound, WorkCenterNotFound } from './graph.problems.js';
import type { ChangeWorkCenter, DraftWorkCenter, WorkCenterFilter, WorkCenterView } from './work-center.contract.js';
import {
  addWorkCenter,
  changeWorkCenterRow,
  lockWorkCenter,
  workCenterList,
  type WorkCenterRow,
} from './work-center.queries.js';

const READ = 'production.graph:read';
const WRITE = 'production.limit:write';
const listKey = z.tuple([z.string(), z.uuid()]);

/** Physical places where work is done, with limits over all graphs and jobs that come there. */
@Injectable()
export class WorkCenterService {
  constructor(
    private readonly commands: Commands,
    private readonly database: Database,
    private readonly scope: SiteScope,
    private readonly waiting: Wake,
  ) {}

  async list(by: Caller, filter: WorkCenterFilter): Promise<List<WorkCenterView>> {
    const after = decodeCursor(filter.cursor, listKey) ?? [null, null];
    const asked = [containing(filter.search), filter.siteId ?? null, filter.active ?? null];
    const values = [this.scope.sites(by, READ), ...asked, ...after, filter.limit + 1];
    const rows = await workCenterList(this.database.dataSource, values);
    return listFrom(rows, filter.limit, ({ code, id }) => [code, id], view);
  }

  async draft(by: Caller, draft: DraftWorkCenter): Promise<WorkCenterView> {
    const { siteId, code, name, wipLimit, concurrencyLimit, queueLimit } = draft;
    this.scope.admit(by, WRITE, siteId, () => new SiteNotFound(siteId));
    try {
      return await this.database.transaction(by, async (tx) => {
        const values = [randomUUIDv7(), siteId, code, name, wipLimit, concurrencyLimit, queueLimit];
        const [added] = await addWorkCenter(tx, values);
        if (!added) throw new SiteNotFound(siteId);
        return view(added);
      });
    } catch (error) {
      throw violates(error, 'work_center_code_is_unique') ? new CodeTaken('work centre', code) : error;
    }
  }

  async change(by: Caller, id: string, version: number, change: ChangeWorkCenter): Promise<WorkCenterView> {
    return this.commands.run(by, { cause: 'limit' }, async (command) => {
      const [before] = await lockWorkCenter(command.tx, [id]);
      if (!before) throw new WorkCenterNotFound(id);
      this.scope.admit(by, WRITE, before.siteId, () => new WorkCenterNotFound(id));
      if (before.rowVersion !== version) throw new PreconditionFailed(before.rowVersion);
      const { name, wipLimit, concurrencyLimit, queueLimit, active } = Object.assign({}, before, change);
      const values = [id, name, wipLimit, concurrencyLimit, queueLimit, active];
      const [after = before] = await changeWorkCenterRow(command.tx, values);
      await this.waiting.ringAll(command, [{ kind: 'work-center', workCenterId: id }]);
      return view(after);
    });
  }
}

function view({ createdAt, ...rest }: WorkCenterRow): WorkCenterView {
  return { ...rest, createdAt: createdAt.toISOString() };
}
