import { Controller, Get, Module, Post } from '@nestjs/common';
import { AllowedWhenReadOnly, Endpoint, Public, type Domain } from '@belay/platform';
import { z } from 'zod';

const light = z.object({ lit: z.literal(true) }).meta({ id: 'BeaconLight' });

@Controller('beacon')
class BeaconController {
  @Get()
  @Public()
  @Endpoint('See the light', { returns: light })
  see(): z.infer<typeof light> {
    return { lit: true };
  }

  @Post()
  @Public()
  @Endpoint('Light it', { returns: light, idempotency: 'none' })
  light(): z.infer<typeof light> {
    return { lit: true };
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
