import { api, data } from "@/api/client";
import type { Verdict } from "@/components/DecisionButtons";

/** Let a revision of a sender go, or do not. */
export function decideRevision(
  sender: string,
  number: number,
  verdict: Verdict,
  note: string,
): Promise<unknown> {
  const params = { path: { sender_id: sender, number } };
  return verdict === "approve"
    ? data(
        api.POST("/api/v1/moderation/senders/{sender_id}/revisions/{number}/approve", {
          params,
          body: { note: note || null },
        }),
      )
    : data(
        api.POST("/api/v1/moderation/senders/{sender_id}/revisions/{number}/reject", {
          params,
          body: { note },
        }),
      );
}
