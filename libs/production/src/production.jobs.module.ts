import { Module } from '@nestjs/common';
import { Clock, Commands } from './production.command.js';
import { SiteScope } from './site-scope.service.js';

@Module({
  providers: [Clock, Commands, SiteScope],
})
export class ProductionJobsModule {}
