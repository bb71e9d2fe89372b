import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Versions } from '../graphs/version.reader.js';
import { Commands, type Command, type LockedJob } from '../production.command.js';
import { JobNotFound, JobNotStarted, JobRunsAtStations, JobState, NodeNotFound } from '../production.problems.js';
import { Serials } from '../tickets/serial.service.js';
import { Journey } from './journey.rules.js';
import { Routing } from './routing.service.js';
import { markSpawned, spawnedTokens } from './spawn.queries.js';
import type { Traveller } from './traveller.rules.js';

type RunningJob = LockedJob & { readonly instanceId: string };

/** Makes the tokens of a job. */
@Injectable()
export class Spawning {
  constructor(
    private readonly commands: Commands,
    private readonly routing: Routing,
    private readonly serials: Serials,
    private readonly versions: Versions,
  ) {}

  /**
   * Makes the whole set and sends it on its way: a piece each, or one batch. The ticket is held alone and in progress; a
   * set that is there already is left as it is.
   */
  async spawn(command: Command, ticketId: string): Promise<{ readonly spawned: boolean; readonly tokens: number }> {
    const job = await this.running(command, ticketId);
    if (job.instanceSpawnedAt !== null) {
      const [made] = await spawnedTokens(command.tx, [job.instanceId]);
      return { spawned: false, tokens: made?.tokens ?? 0 };
    }
    const { start } = await this.versions.get(command.tx, job.versionId);
    const journey = new Journey(job);
    const serials = job.processMode === 'piece' ? await this.serials.reserve(command.tx, job, command.at) : [null];
    const tokens = serials.map((serial, index) => {
      const qty = serial ? 1 : job.targetQty;
      return begin(command, journey, { nodeId: start.id, serial: serial?.serial ?? null, spawnSeq: index + 1, qty });
    });
    await markSpawned(command.tx, [job.instanceId, command.at]);
    await this.routing.run({ ...command, cause: 'spawn' }, journey, { onward: tokens });
    return { spawned: true, tokens: tokens.length };
  }

  /** Makes one batch that begins at the node: what stations have done of the job is not done again. */
  async enter(
    command: Command,
    ticketId: string,
    at: { readonly nodeCode: string; readonly qty: number },
  ): Promise<void> {
    const job = await this.running(command, ticketId);
    if (job.instanceSpawnedAt !== null) throw new JobState(job, 'Its tokens are there already.');
    const node = (await this.versions.get(command.tx, job.versionId)).nodeOfCode(at.nodeCode);
    if (!node) throw new NodeNotFound(at.nodeCode);
    const journey = new Journey(job);
    const token = begin(command, journey, { nodeId: node.id, serial: null, spawnSeq: 1, qty: at.qty });
    token.mustBeLetIn = true;
    await markSpawned(command.tx, [job.instanceId, command.at]);
    await this.routing.run({ ...command, cause: 'spawn' }, journey, { arrived: [token] });
  }

  private async running(command: Command, ticketId: string): Promise<RunningJob> {
    const job = await this.commands.jobNow(command, ticketId);
    if (!job) throw new JobNotFound(ticketId);
    const { instanceId, instanceStatus, jobStatus, execution } = job;
    if (execution === 'stations') throw new JobRunsAtStations(job);
    if (jobStatus === 'planned') throw new JobNotStarted(job);
    if (jobStatus !== 'in_progress' || instanceId === null || instanceStatus !== 'active') throw new JobState(job);
    return { ...job, instanceId };
  }
}

function begin(
  command: Command,
  journey: Journey,
  {
    nodeId,
    serial,
    spawnSeq,
    qty,
  }: { readonly nodeId: string; readonly serial: string | null; readonly spawnSeq: number; readonly qty: number },
): Traveller {
  const { job } = journey;
  const token = journey.make(
    {
      id: randomUUIDv7(),
      instanceId: job.instanceId,
      type: serial === null ? 'batch' : 'piece',
      serial,
      nodeId,
      status: 'ready',
      qty,
      priority: job.jobPriority,
      spawnSeq,
    },
    command.at,
  );
  token.tell('TOKEN_CREATE', { spawnSeq, serial });
  token.enter(nodeId);
  token.keep();
  return token;
}
