import type { Person } from "@/api/types";

/** What a token says of its bearer. The services check it; the page only shows it. */
export interface Claims {
  person: Person;
  workspace: string;
  roles: readonly string[];
  expiresAt: Date | null;
}

/** Read a JWT's claims, or null when it is none. */
export function claimsOf(token: string): Claims | null {
  try {
    const middle = token.split(".")[1] ?? "";
    const bytes = Uint8Array.from(atob(middle.replaceAll("-", "+").replaceAll("_", "/")), (one) =>
      one.charCodeAt(0),
    );
    const told = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const id = String(told.sub ?? "");
    if (!id) return null;
    return {
      person: { id, name: String(told.name ?? id) },
      workspace: String(told.workspace ?? ""),
      roles: Array.isArray(told.roles) ? told.roles.map(String) : [],
      expiresAt: typeof told.exp === "number" ? new Date(told.exp * 1000) : null,
    };
  } catch {
    return null;
  }
}
