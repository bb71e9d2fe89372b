import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Account } from './accounts/account.entity.js';
import { DirectoryProcessor } from './directory.processor.js';
import { ConsentService } from './people/consent.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Account])],
  providers: [ConsentService, DirectoryProcessor],
})
export class DirectoryJobsModule {}
