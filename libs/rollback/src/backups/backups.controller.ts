import { AllowedWhenReadOnly, By, ControlDatabase, Endpoint, Requires, type Caller, type List } from '@belay/platform';
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actorOf } from '../engine/actor.js';
import {
  backupList,
  backupPath,
  backupQuery,
  backupView,
  newBackup,
  wantedProof,
  type BackupPath,
  type BackupQuery,
  type BackupView,
  type NewBackupRequest,
  type WantedProof,
} from './backup.contract.js';
import { Backups } from './backups.service.js';

/** Copies of rows, and what was proven of them. */
@ApiTags('rollback')
@Controller('rollback/backups')
export class BackupsController {
  constructor(
    private readonly backups: Backups,
    private readonly control: ControlDatabase,
  ) {}

  @Get()
  @Requires('rollback:read')
  @Endpoint('List backups, newest first', { returns: backupList })
  list(@Query({ schema: backupQuery }) query: BackupQuery): Promise<List<BackupView>> {
    return this.backups.list(query);
  }

  @Get(':id')
  @Requires('rollback:read')
  @Endpoint('Read a backup', { returns: backupView, problems: ['404 backup-not-found'] })
  get(@Param({ schema: backupPath }) { id }: BackupPath): Promise<BackupView> {
    return this.backups.get(id);
  }

  @Post()
  @AllowedWhenReadOnly()
  @Requires('rollback:backup')
  @Endpoint('Ask for a backup', {
    status: 202,
    returns: backupView,
    idempotency: 'required',
    description: 'A worker makes it and brings it to the level; `state`, `level` and `findings` say how far it is.',
  })
  create(@By() by: Caller, @Body({ schema: newBackup }) { scope, level }: NewBackupRequest): Promise<BackupView> {
    return this.control.transaction(by, (client) => this.backups.request(client, actorOf(by), scope, level));
  }

  @Post(':id/verify')
  @AllowedWhenReadOnly()
  @Requires('rollback:backup')
  @Endpoint('Ask for a backup to be verified to a level', {
    status: 202,
    returns: backupView,
    idempotency: 'required',
    problems: ['404 backup-not-found', '409 backup-not-usable'],
  })
  verify(
    @By() by: Caller,
    @Param({ schema: backupPath }) { id }: BackupPath,
    @Body({ schema: wantedProof }) { level }: WantedProof,
  ): Promise<BackupView> {
    return this.control.transaction(by, (client) => this.backups.prove(client, actorOf(by), id, level));
  }

  @Post(':id/drill')
  @AllowedWhenReadOnly()
  @Requires('rollback:backup')
  @Endpoint('Ask for a backup to be restored into a side database and proven', {
    status: 202,
    returns: backupView,
    idempotency: 'required',
    problems: ['404 backup-not-found', '409 backup-not-usable'],
  })
  drill(@By() by: Caller, @Param({ schema: backupPath }) { id }: BackupPath): Promise<BackupView> {
    return this.control.transaction(by, (client) => this.backups.prove(client, actorOf(by), id, 4));
  }
}
