// Who is signed in here. A token of this machine is kept in this browser until it expires; one of an
// identity provider is kept by the library that got it (`oidc.ts`).
import { useSyncExternalStore } from "react";
import { type Claims, claimsOf } from "./claims";

const KEPT = "carillon.token";
const ASKED = "carillon.workspace";

export interface Session extends Claims {
  token: string;
}

type Change = () => void;
const listeners = new Set<Change>();
let current: Session | null = read(localStorage.getItem(KEPT));
let expired = false;

function read(token: string | null): Session | null {
  const claims = token ? claimsOf(token) : null;
  if (!token || !claims) return null;
  if (claims.expiresAt && claims.expiresAt <= new Date()) return null;
  return { token, ...claims };
}

function become(next: Session | null): void {
  current = next;
  for (const tell of listeners) tell();
}

/** The session of this moment, for code outside of components. */
export function session(): Session | null {
  return current;
}

/** Begin a session; false when the token is none, or is over. `keep` it for other tabs and later. */
export function begin(token: string, { keep }: { keep: boolean }): boolean {
  const begun = read(token);
  if (!begun) return false;
  expired = false;
  if (keep) localStorage.setItem(KEPT, token);
  become(begun);
  return true;
}

/** End the session because somebody wants to. */
export function end(): void {
  expired = false;
  forget();
}

/** End the session because its token is not accepted any more. */
export function expire(): void {
  if (!current) return;
  expired = true;
  forget();
}

function forget(): void {
  localStorage.removeItem(KEPT);
  sessionStorage.removeItem(ASKED);
  become(null);
}

/** Whether the last session ended by itself. */
export function hasExpired(): boolean {
  return expired;
}

/** The workspace that a super admin looks at in place of their own. */
export function workspaceAsked(): string | null {
  return current?.roles.includes("super_admin") ? sessionStorage.getItem(ASKED) : null;
}

export function askWorkspace(workspace: string | null): void {
  if (workspace) sessionStorage.setItem(ASKED, workspace);
  else sessionStorage.removeItem(ASKED);
  for (const tell of listeners) tell();
}

function listen(change: Change): () => void {
  listeners.add(change);
  return () => listeners.delete(change);
}

/** The session, and renewed whenever it changes. */
export function useSession(): Session | null {
  return useSyncExternalStore(listen, session);
}

/** The workspace whose data is shown. */
export function useWorkspace(): string {
  const asked = useSyncExternalStore(listen, workspaceAsked);
  const own = useSession()?.workspace ?? "";
  return asked ?? own;
}

type Permission = "author" | "moderate" | "senders" | "administer" | "audit";

const ROLES: Record<Permission, readonly string[]> = {
  author: ["author", "admin", "super_admin"],
  moderate: ["moderator", "admin", "super_admin"],
  senders: ["author", "admin", "super_admin"],
  administer: ["admin", "super_admin"],
  audit: ["admin", "super_admin"],
};

/** Whether to offer something; whether it may be done the services decide. */
export function useMay(permission: Permission): boolean {
  const roles = useSession()?.roles ?? [];
  return roles.some((role) => ROLES[permission].includes(role));
}

// Another tab has signed in or out.
window.addEventListener("storage", (event) => {
  if (event.key === KEPT) become(read(event.newValue));
});
