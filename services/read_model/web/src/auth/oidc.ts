// Authorization code with PKCE at the configured provider; loaded only where there is one.
import { UserManager, WebStorageStateStore } from "oidc-client-ts";
import type { Provider } from "./provider";
import { begin, expire } from "./session";

type Oidc = Extract<Provider, { kind: "oidc" }>;
let made: UserManager | null = null;

function manager(provider: Oidc): UserManager {
  if (made) return made;
  made = new UserManager({
    authority: provider.authority,
    client_id: provider.client_id,
    scope: provider.scope ?? "openid profile",
    redirect_uri: `${window.location.origin}/dashboard/signed-in`,
    post_logout_redirect_uri: `${window.location.origin}/dashboard/sign-in`,
    response_type: "code",
    automaticSilentRenew: true,
    userStore: new WebStorageStateStore({ store: window.sessionStorage }),
  });
  made.events.addUserLoaded((user) => {
    begin(user.access_token, { keep: false });
  });
  made.events.addAccessTokenExpired(() => expire());
  return made;
}

/** Leave for the provider; it comes back to `/dashboard/signed-in`. */
export async function leave(provider: Oidc, next: string): Promise<void> {
  await manager(provider).signinRedirect({ state: next });
}

/** Come back from the provider; returns where the person was going. */
export async function arrive(provider: Oidc): Promise<string> {
  const user = await manager(provider).signinRedirectCallback();
  begin(user.access_token, { keep: false });
  return typeof user.state === "string" ? user.state : "/dashboard";
}

/** Take up the session of this tab, if there is one. */
export async function resume(provider: Oidc): Promise<boolean> {
  const user = await manager(provider).getUser();
  return Boolean(user && !user.expired && begin(user.access_token, { keep: false }));
}

/** End the session here and at the provider. */
export async function signOut(provider: Oidc): Promise<void> {
  const known = manager(provider);
  try {
    await known.signoutRedirect();
  } catch {
    await known.removeUser(); // a provider without an end_session_endpoint
  }
}
