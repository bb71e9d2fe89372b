import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, KeptBy, Requires, type Caller } from '@belay/platform';
import { READ_LOG } from '../log/log.service.js';
import {
  agreementQuery,
  agreementView,
  replayQuery,
  replayView,
  type AgreementQuery,
  type AgreementView,
  type ReplayQuery,
  type ReplayView,
} from './review.contract.js';
import { ReviewService } from './review.service.js';

@ApiTags('assignment')
@Controller('assignment')
@KeptBy('enable_assignment_preview')
export class ReviewController {
  constructor(private readonly reviews: ReviewService) {}

  @Get('agreement')
  @Requires(READ_LOG)
  @Endpoint('See how often people agree with the automatic choice', {
    returns: agreementView,
    description:
      'While assignment_auto_choice is off, the automatic choice is only logged and people give out the work. Once they ' +
      'agree often enough, it can be switched on.',
  })
  agreement(@By() by: Caller, @Query({ schema: agreementQuery }) query: AgreementQuery): Promise<AgreementView> {
    return this.reviews.agreement(by, query);
  }

  @Get('replay')
  @Requires(READ_LOG)
  @Endpoint('Make choices of the past again', {
    returns: replayView,
    description:
      'Each from the candidates that were written down with it, and as loaded as they were then. Tells how evenly work lay, ' +
      'how much of it somebody was found for, and how long it waited, as far as the log holds that.',
  })
  replay(@By() by: Caller, @Query({ schema: replayQuery }) query: ReplayQuery): Promise<ReplayView> {
    return this.reviews.replay(by, query);
  }
}
