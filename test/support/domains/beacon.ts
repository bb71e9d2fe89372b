import { Controller, Get, Module, Post } from '@nestjs/common';
import { AllowedWhenReadOnly, By, Database, Endpoint, Outbox, Public, type Caller, type Domain } from '@belay/platform';
import { z } from 'zod';

const light = z.object({ lit: z.literal(true) }).meta({ id: 'BeaconLight' });

@Controller('beacon')
class BeaconController {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  @Get()
  @Public()
  @Endpoint('See the light', { returns: light })
  see(): z.infer<typeof light> {
    return { lit: true };
  }

  @Post()
  @Public()
  @Endpoint('Light it', { returns: light, idempotency: 'none' })
  light(@By() by: Caller): Promise<z.infer<typeof light>> {
    return this.database.transaction(by, async (tx) => {
      await this.outbox.add(tx, { name: 'beacon.lit', body: {} }, 'beacon');
      return { lit: true };
    });
  }

  @Post('search')
  @Public()
  @AllowedWhenReadOnly()
  @Endpoint('Look for lights', { returns: light, idempotency: 'none' })
  search(): z.infer<typeof light> {
    return { lit: true };
  }
}

@Module({ controllers: [BeaconController] })
class BeaconModule {}

/** Stands beside the others, and stays in an emergency. */
export const beacon = {
  name: 'beacon',
  title: 'Beacon',
  flag: 'enable_beacon',
  defaultOn: true,
  survivesEmergency: true,
  after: ['directory'],
  features: [],
  module: BeaconModule,
} satisfies Domain;
