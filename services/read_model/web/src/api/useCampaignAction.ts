import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { notifyDone, notifyFailure } from "@/components/notify";
import { texts } from "@/texts";
import { api, data } from "./client";
import type { paths } from "./schema";
import type { Action } from "./types";

/** What is done by a POST without a body. */
const POSTS = {
  start: "/api/v1/campaigns/{campaign_id}/start",
  pause: "/api/v1/campaigns/{campaign_id}/pause",
  resume: "/api/v1/campaigns/{campaign_id}/resume",
  stop: "/api/v1/campaigns/{campaign_id}/stop",
  restart: "/api/v1/campaigns/{campaign_id}/restart",
  "cancel-restart": "/api/v1/campaigns/{campaign_id}/cancel-restart",
  archive: "/api/v1/campaigns/{campaign_id}/archive",
  restore: "/api/v1/campaigns/{campaign_id}/restore",
} as const satisfies Partial<Record<Action, keyof paths>>;

export interface Wish {
  id: string;
  name: string;
  action: Exclude<Action, "edit">;
}

/** Carry out an action on a campaign, say how it went, and have every page see it. */
export function useCampaignAction() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: ({ id, action }: Wish) => carryOut(id, action),
    onSuccess: async (created, { id, name, action }) => {
      if (created !== null) {
        notifyDone(`${name} ${texts.actions.cloned}`);
        await navigate(`/dashboard/campaigns/${created}`);
      } else if (action !== "clone") {
        notifyDone(`${name} ${texts.actions.done[action]}`);
      }
      await Promise.all(
        [["campaigns"], ["overview"], ...(action === "delete" ? [] : [["campaign", id]])].map(
          (queryKey) => client.invalidateQueries({ queryKey }),
        ),
      );
    },
    onError: (error, { action }) =>
      notifyFailure(texts.actions.failed(texts.actions.names[action]), error),
  });
}

/** Returns the id of a campaign that came of it. */
async function carryOut(id: string, action: Wish["action"]): Promise<string | null> {
  const params = { path: { campaign_id: id } };
  switch (action) {
    case "clone": {
      const path = "/api/v1/campaigns/{campaign_id}/clone";
      return (await data(api.POST(path, { params }))).id;
    }
    case "delete":
      await data(api.DELETE("/api/v1/campaigns/{campaign_id}", { params }));
      return null;
    default:
      await data(api.POST(POSTS[action], { params }));
      return null;
  }
}
