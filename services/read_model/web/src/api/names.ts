// Names for ids that campaigns hold: senders and links change seldom.
import { useQuery } from "@tanstack/react-query";
import { api, data } from "./client";

const AN_HOUR_MS = 3_600_000;
const ALL = 1000;

export const sendersQuery = {
  queryKey: ["senders"],
  queryFn: () => data(api.GET("/api/v1/senders", { params: { query: { limit: ALL } } })),
};
export const linksQuery = {
  queryKey: ["links"],
  queryFn: () => data(api.GET("/api/v1/links")),
};
export const settingsQuery = {
  queryKey: ["settings"],
  queryFn: () => data(api.GET("/api/v1/settings")),
};

/** How a sender is called; its id while that is not known. */
export function useSenderName(id: string): string {
  const { data: senders } = useQuery({
    ...sendersQuery,
    staleTime: AN_HOUR_MS,
    enabled: id !== "",
  });
  const sender = senders?.items.find((one) => one.id === id);
  if (!sender) return id;
  const current = sender.revisions.find((one) => one.number === sender.current_revision);
  return current ? `${sender.name} (${current.saddr})` : sender.name;
}

/** How a link is called; its id while that is not known. */
export function useLinkName(id: string): string {
  const { data: links } = useQuery({ ...linksQuery, staleTime: AN_HOUR_MS, enabled: id !== "" });
  return links?.items.find((one) => one.id === id)?.name ?? id;
}
