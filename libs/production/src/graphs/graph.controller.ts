import { By, Endpoint, IfMatch, listOf, Requires, type Caller, type List } from '@belay/platform';
import { Body, Controller, Get, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { id } from '../production.contract.js';
import {
  draftGraph,
  graphCheck,
  graphFilter,
  graphItem,
  graphView,
  type DraftGraph,
  type GraphCheckView,
  type GraphFilter,
  type GraphItem,
  type GraphView,
} from './graph.contract.js';
import { GraphService } from './graph.service.js';
import { PublicationService } from './publication.service.js';
import { versionFilter, versionItem, type VersionFilter, type VersionItem } from './version.contract.js';
import { VersionService } from './version.service.js';

@ApiTags('production')
@Controller('production/graphs')
export class GraphController {
  constructor(
    private readonly graphs: GraphService,
    private readonly publications: PublicationService,
    private readonly versions: VersionService,
  ) {}

  @Get()
  @Requires('production.graph:read')
  @Endpoint('Find graphs', { returns: listOf(graphItem), description: 'By code.' })
  list(@Query({ schema: graphFilter }) query: GraphFilter): Promise<List<GraphItem>> {
    return this.graphs.list(query);
  }

  @Post()
  @Requires('production.graph:write')
  @Endpoint('Draft a graph', {
    status: 201,
    returns: graphView,
    problems: ['409 code-taken', '422 graph-invalid'],
    idempotency: 'required',
    description: 'What is not right yet is told and keeps it only from being published; what is no graph is refused.',
  })
  draft(@By() by: Caller, @Body({ schema: draftGraph }) body: DraftGraph): Promise<GraphView> {
    return this.graphs.draft(by, body);
  }

  @Get(':id')
  @Requires('production.graph:read')
  @Endpoint('Read a graph', { returns: graphView, problems: ['404 graph-not-found'] })
  get(@Param('id', { schema: id }) graph: string): Promise<GraphView> {
    return this.graphs.get(graph);
  }

  @Put(':id')
  @Requires('production.graph:write')
  @Endpoint('Save a draft', {
    returns: graphView,
    problems: [
      '404 graph-not-found',
      '409 code-taken',
      '409 graph-archived',
      '412 precondition-failed',
      '422 graph-invalid',
    ],
    description: 'Nothing that was published changes.',
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) graph: string,
    @IfMatch() version: number,
    @Body({ schema: draftGraph }) body: DraftGraph,
  ): Promise<GraphView> {
    return this.graphs.change(by, graph, version, body);
  }

  @Post(':id/validate')
  @Requires('production.graph:read')
  @Endpoint('Check a draft', { returns: graphCheck, problems: ['404 graph-not-found'], idempotency: 'none' })
  validate(@Param('id', { schema: id }) graph: string): Promise<GraphCheckView> {
    return this.graphs.validate(graph);
  }

  @Post(':id/publish')
  @Requires('production.graph:publish')
  @Endpoint('Publish a draft', {
    returns: versionItem,
    problems: ['404 graph-not-found', '409 graph-archived', '422 graph-invalid'],
    idempotency: 'required',
    description: 'As its next version. A draft that is the latest version already makes none.',
  })
  publish(@By() by: Caller, @Param('id', { schema: id }) graph: string): Promise<VersionItem> {
    return this.publications.publish(by, graph);
  }

  @Post(':id/archive')
  @Requires('production.graph:publish')
  @Endpoint('Archive a graph', {
    returns: graphView,
    problems: ['404 graph-not-found'],
    idempotency: 'required',
    description: 'None of its versions takes new jobs any more; running ones go on.',
  })
  archive(@By() by: Caller, @Param('id', { schema: id }) graph: string): Promise<GraphView> {
    return this.graphs.archive(by, graph);
  }

  @Get(':id/versions')
  @Requires('production.graph:read')
  @Endpoint('Find versions of a graph', {
    returns: listOf(versionItem),
    problems: ['404 graph-not-found'],
    description: 'The latest first.',
  })
  listVersions(
    @Param('id', { schema: id }) graph: string,
    @Query({ schema: versionFilter }) query: VersionFilter,
  ): Promise<List<VersionItem>> {
    return this.versions.list(graph, query);
  }
}
