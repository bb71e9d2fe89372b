import { Reflector } from '@nestjs/core';

export const RouteFeature = Reflector.createDecorator<string>();
export const RouteKeeper = Reflector.createDecorator<string>();
export const RouteFinishesOpenWork = Reflector.createDecorator<boolean>();
export const RouteAllowedWhenReadOnly = Reflector.createDecorator<boolean>();

/**
 * The routes of the controller, or the one of the method, belong to a feature of their domain and are gone while it is
 * off.
 */
export function InFeature(flag: string): MethodDecorator & ClassDecorator {
  return RouteFeature(flag);
}

/** The routes answer while their domain is on, and also while this feature alone keeps it (`keptBy` of the manifest). */
export function KeptBy(flag: string): MethodDecorator & ClassDecorator {
  return RouteKeeper(flag);
}

/** A write that ends what is open: it goes on while its module or feature is drained. */
export function FinishesOpenWork(): MethodDecorator & ClassDecorator {
  return RouteFinishesOpenWork(true);
}

/**
 * A write that goes on while writes are stopped: sign-in and sign-out, so that somebody can lift the stop; the way back
 * itself; and requests that only read, though their method says otherwise.
 */
export function AllowedWhenReadOnly(): MethodDecorator & ClassDecorator {
  return RouteAllowedWhenReadOnly(true);
}
