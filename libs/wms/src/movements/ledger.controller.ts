import { Controller, Delete, Param, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Endpoint, Requires } from '@belay/platform';
import { z } from 'zod';
import { ImmutableLedger } from './movement.problems.js';

const seq = z.string().regex(/^\d{1,19}$/, 'must be the number of a line');
const immutable = {
  description: 'Always refused: what was posted by mistake is reversed.',
  problems: ['405 immutable-ledger'] as const,
};

/** The lines of the ledger can be read, and nothing else. */
@ApiTags('wms')
@Controller('wms/inventory-transactions')
export class LedgerController {
  @Put(':seq')
  @Requires('wms.inventory:read')
  @Endpoint('Change a line of the ledger', immutable)
  put(@Param('seq', { schema: seq }) line: string): never {
    throw new ImmutableLedger(line);
  }

  @Delete(':seq')
  @Requires('wms.inventory:read')
  @Endpoint('Delete a line of the ledger', immutable)
  delete(@Param('seq', { schema: seq }) line: string): never {
    throw new ImmutableLedger(line);
  }
}
