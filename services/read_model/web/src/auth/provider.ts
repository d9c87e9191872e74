import { useQuery } from "@tanstack/react-query";

/** How people sign in here; the edge serves it, so one build fits every place. */
export type Provider =
  | { kind: "local" }
  | { kind: "oidc"; authority: string; client_id: string; scope?: string };

async function read(): Promise<Provider> {
  const answer = await fetch("/dashboard.json", { cache: "no-cache" });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const told = (await answer.json()) as { sign_in: Provider };
  return told.sign_in;
}

export const providerQuery = { queryKey: ["provider"], queryFn: read, staleTime: Infinity };

export function useProvider() {
  return useQuery(providerQuery);
}
