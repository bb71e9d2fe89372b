import { Reflector } from '@nestjs/core';

/** What a route asks of its caller; every route says one of these, or the application does not boot. */
export type Access =
  | { readonly kind: 'permission'; readonly permission: string; readonly others: readonly string[] }
  | { readonly kind: 'signed-in' }
  | { readonly kind: 'public' };

export const RouteAccess = Reflector.createDecorator<Access>();

const permissionName = /^[a-z]+(\.[a-z][a-z-]*)*:[a-z][a-z-]*$/;

/**
 * Only callers who hold the permission, or one of the others, at any site: whether they hold it at the site in question
 * is decided where the site is known, by `caller.may(permission, siteId)`.
 */
export function Requires(permission: string, ...others: readonly string[]): MethodDecorator & ClassDecorator {
  const wrong = [permission, ...others].find((name) => !permissionName.test(name));
  if (wrong !== undefined) throw new Error(`${wrong} is no permission, e.g. directory.site:write`);
  return RouteAccess({ kind: 'permission', permission, others });
}

/** Everybody who is signed in: for what a person does to their own account. */
export function SignedIn(): MethodDecorator & ClassDecorator {
  return RouteAccess({ kind: 'signed-in' });
}

/** Everybody, without a token: health, docs and sign-in only. */
export function Public(): MethodDecorator & ClassDecorator {
  return RouteAccess({ kind: 'public' });
}
