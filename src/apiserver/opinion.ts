import type { UserInfo } from "./authenticator.ts";

/**
 * What one authenticator of several says. `none`: nothing here for it to judge. `failed`: credentials were shown and are not good, or
 * could not be checked; a later authenticator may still succeed, but the request can no longer become anonymous.
 */
export type Opinion =
  | { readonly status: "authenticated"; readonly user: UserInfo }
  | { readonly status: "none" }
  | { readonly status: "failed"; readonly reason: string };

/** The opinion of an authenticator that found nothing to judge. */
export const noOpinion: Opinion = { status: "none" };
