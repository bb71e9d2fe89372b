import { Module } from '@nestjs/common';
import { GraphController } from './graphs/graph.controller.js';
import { GraphService } from './graphs/graph.service.js';
import { LimitController } from './graphs/limit.controller.js';
import { LimitService } from './graphs/limit.service.js';
import { PublicationService } from './graphs/publication.service.js';
import { VersionController } from './graphs/version.controller.js';
import { Versions } from './graphs/version.reader.js';
import { VersionService } from './graphs/version.service.js';
import { WorkCenterController } from './graphs/work-center.controller.js';
import { WorkCenterService } from './graphs/work-center.service.js';
import { Clock, Commands } from './production.command.js';
import { SiteScope } from './site-scope.service.js';
import { Wake } from './work/wake.service.js';

@Module({
  controllers: [GraphController, LimitController, VersionController, WorkCenterController],
  providers: [
    Clock,
    Commands,
    GraphService,
    LimitService,
    PublicationService,
    SiteScope,
    Versions,
    VersionService,
    Wake,
    WorkCenterService,
  ],
})
export class ProductionModule {}
