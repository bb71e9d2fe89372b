import { Endpoint, Requires } from '@belay/platform';
import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { moduleBoard, type ModuleBoard } from './flag.contract.js';
import { ModuleBoards } from './module-boards.service.js';

/** Everything that can be switched off and taken back. */
@ApiTags('rollback')
@Controller('rollback')
export class ModulesController {
  constructor(private readonly boards: ModuleBoards) {}

  @Get('modules')
  @Requires('rollback:read')
  @Endpoint('Read the board of all modules', { returns: moduleBoard })
  board(): Promise<ModuleBoard> {
    return this.boards.board();
  }
}
