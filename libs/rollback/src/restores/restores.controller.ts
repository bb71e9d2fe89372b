import { AllowedWhenReadOnly, By, Endpoint, Requires, type Caller } from '@belay/platform';
import { Body, Controller, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actorOf } from '../engine/actor.js';
import {
  previewRestore,
  restorePreview,
  type PreviewRestore,
  type RestorePreview,
} from './restore-preview.contract.js';
import { Restores } from './restores.service.js';

/** Ways back for rows, domains and the database, before anybody takes one. */
@ApiTags('rollback')
@Controller('rollback/restores')
export class RestoresController {
  constructor(private readonly restores: Restores) {}

  // It changes nothing, so doing it twice does no harm.
  @Post('preview')
  @AllowedWhenReadOnly()
  @Requires('rollback:restore')
  @Endpoint('See what a restore would change', {
    returns: restorePreview,
    idempotency: 'none',
    description: 'Nothing is changed. A restore is carried out by a plan that was agreed to: POST /plans.',
    problems: [
      '404 backup-not-found',
      '404 marker-not-found',
      '409 backup-broken',
      '409 backup-too-weak',
      '409 restore-refused',
    ],
  })
  preview(@By() by: Caller, @Body({ schema: previewRestore }) body: PreviewRestore): Promise<RestorePreview> {
    return this.restores.preview(actorOf(by), body);
  }
}
