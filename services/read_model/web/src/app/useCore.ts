import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { api, data } from "@/api/client";
import type { Pulse } from "@/api/types";
import { useSession } from "@/auth/session";

const EVERY_MS = 5_000;
export const CORE = ["core"] as const;

/** Whether the core answers, on every page: without it nothing can be started. */
export function useCoreIsDown(): boolean {
  const { data: core } = useQuery({
    queryKey: CORE,
    queryFn: async () =>
      (await data(api.GET("/api/v1/overview/pulse", { params: { query: {} } }))).core,
    enabled: useSession() !== null,
    refetchInterval: EVERY_MS,
    staleTime: EVERY_MS,
  });
  return core === "down";
}

/** Let every page know at once what a stream has told. */
export function useTellCore(): (core: Pulse["core"]) => void {
  const client = useQueryClient();
  return useCallback((core) => client.setQueryData(CORE, core), [client]);
}
