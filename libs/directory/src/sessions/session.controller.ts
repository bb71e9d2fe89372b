import { Body, Controller, Get, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AllowedWhenReadOnly, By, Endpoint, Public, SignedIn, type Caller } from '@belay/platform';
import { MeService } from './me.service.js';
import {
  changePassword,
  meView,
  refresh,
  sessionView,
  signIn,
  type ChangePassword,
  type MeView,
  type Refresh,
  type SessionView,
  type SignIn,
} from './session.contract.js';
import { SessionService } from './session.service.js';

@ApiTags('directory')
@Controller('auth')
export class SessionController {
  constructor(
    private readonly sessions: SessionService,
    private readonly me: MeService,
  ) {}

  @Post('sign-in')
  @Public()
  @AllowedWhenReadOnly()
  @Endpoint('Sign in', {
    returns: sessionView,
    problems: ['401 wrong-credentials', '401 account-locked'],
    idempotency: 'none',
    description: 'Five failures in a row lock the username for 15 minutes, whether or not somebody has it.',
  })
  signIn(@By() by: Caller, @Body({ schema: signIn }) body: SignIn): Promise<SessionView> {
    return this.sessions.signIn(by, body);
  }

  @Post('refresh')
  @Public()
  @AllowedWhenReadOnly()
  @Endpoint('Stay signed in', {
    returns: sessionView,
    problems: ['401 wrong-credentials', '401 token-reused'],
    idempotency: 'none',
    description: 'A refresh token is good for one use; showing it again ends the sign-in it came from.',
  })
  refresh(@By() by: Caller, @Body({ schema: refresh }) body: Refresh): Promise<SessionView> {
    return this.sessions.refresh(by, body);
  }

  @Post('sign-out')
  @Public()
  @AllowedWhenReadOnly()
  @Endpoint('Sign out', { idempotency: 'none' })
  signOut(@By() by: Caller, @Body({ schema: refresh }) body: Refresh): Promise<void> {
    return this.sessions.signOut(by, body);
  }

  @Get('me')
  @SignedIn()
  @Endpoint('Who I am and what I may', { returns: meView })
  who(@By() by: Caller): Promise<MeView> {
    return this.me.who(by);
  }

  @Put('password')
  @SignedIn()
  @Endpoint('Change my password', {
    returns: sessionView,
    problems: ['401 wrong-credentials', '401 account-locked', '403 person-needed', '422 password-too-weak'],
    description: 'Ends every other sign-in and answers with a new one.',
  })
  changePassword(@By() by: Caller, @Body({ schema: changePassword }) body: ChangePassword): Promise<SessionView> {
    return this.sessions.changePassword(by, body);
  }
}
