import { Injectable } from '@nestjs/common';
import { Database, type Caller } from '@belay/platform';
import type { PublishedVersion } from '../graphs/published-version.rules.js';
import { Versions } from '../graphs/version.reader.js';
import {
  nodeProgress,
  quantities,
  stationProgress,
  type NodeProgressRow,
  type StationRow,
} from './progress.queries.js';
import { stateOfNode, stateOfStation } from './progress.rules.js';
import { newestInstance } from './run.queries.js';
import type { ProgressView, TicketView } from './ticket.contract.js';
import { TicketService } from './ticket.service.js';

type NodeView = ProgressView['nodes'][number];

/** How far a job is: derived from where its tokens stand and have been, or from what the stations told. */
@Injectable()
export class ProgressService {
  constructor(
    private readonly database: Database,
    private readonly tickets: TicketService,
    private readonly versions: Versions,
  ) {}

  async get(by: Caller, id: string): Promise<ProgressView> {
    const on = this.database.dataSource;
    const ticket = await this.tickets.get(by, id);
    const version = await this.versions.get(on, ticket.graphVersionId);
    return ticket.execution === 'stations' ? this.atStations(ticket, version) : this.byTokens(ticket, version);
  }

  private async byTokens(ticket: TicketView, version: PublishedVersion): Promise<ProgressView> {
    const on = this.database.dataSource;
    const [instance] = await newestInstance(on, [ticket.id]);
    const rows = await nodeProgress(on, [instance?.id ?? null]);
    const [sums] = await quantities(on, [instance?.id ?? null]);
    if (!sums) throw new Error('A sum has one row');
    const byNode = new Map(rows.map((row) => [row.nodeId, row]));
    const standing = rows.filter(({ live }) => live > 0).map(({ nodeId }) => nodeId);
    const nodes = version.nodes.map((node) => nodeView(node, byNode.get(node.id), standing, version));
    return { ...headOf(ticket), ...sums, nodes };
  }

  private async atStations(ticket: TicketView, version: PublishedVersion): Promise<ProgressView> {
    const rows = await stationProgress(this.database.dataSource, [ticket.id]);
    const byCode = new Map(rows.map((row) => [row.nodeCode, row]));
    const operable = version.nodes.filter(({ id }) => version.isOperable(id));
    const nodes = operable.map(({ code, name, type }) => ({
      nodeCode: code,
      name,
      type,
      ...stationView(byCode.get(code)),
    }));
    const scrappedQty = rows.reduce((sum, { scrapQty }) => sum + scrapQty, 0);
    const completedQty = ticket.status === 'completed' ? (nodes.at(-1)?.passedQty ?? 0) : 0;
    return { ...headOf(ticket), completedQty, scrappedQty, liveQty: 0, nodes };
  }
}

function headOf({ id, execution, targetQty }: TicketView): Pick<ProgressView, 'id' | 'execution' | 'targetQty'> {
  return { id, execution, targetQty };
}

function nodeView(
  node: { readonly id: string; readonly code: string; readonly name: string; readonly type: string },
  row: NodeProgressRow | undefined,
  standing: readonly string[],
  version: PublishedVersion,
): NodeView {
  const { live = 0, held = 0, active = 0, paused = 0, liveQty = 0, passedQty = 0, scrappedQty = 0 } = row ?? {};
  const passed = passedQty + scrappedQty > 0;
  const expected = standing.some((from) => from !== node.id && version.reaches(from, node.id));
  const state = stateOfNode({ live, held, active, paused, passed, expected });
  return { nodeCode: node.code, name: node.name, type: node.type, state, live, liveQty, passedQty, scrappedQty };
}

function stationView(row: StationRow | undefined): Omit<NodeView, 'nodeCode' | 'name' | 'type'> {
  const { status = 'pending', goodQty = 0, scrapQty = 0 } = row ?? {};
  return { state: stateOfStation(status), live: 0, liveQty: 0, passedQty: goodQty, scrappedQty: scrapQty };
}
