import { type QueryKey, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { follow } from "./stream";

/** While the stream is lost the page asks by itself, so that it is not older than this. */
const ASK_EVERY_MS = 10_000;

export interface Liveness {
  state: "connecting" | "live" | "lost";
  /** Of when the data is: the moment of the last answer, or of a later sign that nothing changed. */
  asOf: Date | null;
  /** When the stream is tried again. */
  retryAt: Date | null;
}

interface Source<T> {
  key: QueryKey;
  read: () => Promise<T>;
  /** The stream's address, and the name of its events. Without one there is nothing to follow. */
  stream?: string;
  event: string;
}

/** The newest answer to a question that the platform also answers as a stream. */
export function useLive<T>({ key, read, stream, event }: Source<T>) {
  const client = useQueryClient();
  const [liveness, setLiveness] = useState<Liveness>({
    state: "connecting",
    asOf: null,
    retryAt: null,
  });
  const query = useQuery({
    queryKey: key,
    queryFn: read,
    staleTime: liveness.state === "live" ? Number.POSITIVE_INFINITY : 0,
    refetchInterval: liveness.state === "lost" ? ASK_EVERY_MS : false,
  });
  const name = JSON.stringify(key);
  useEffect(() => {
    if (!stream) return;
    const queryKey = JSON.parse(name) as QueryKey;
    const ending = new AbortController();
    const listener = {
      onSign: () => setLiveness({ state: "live", asOf: new Date(), retryAt: null }),
      onEvent: (kind: string, text: string) => {
        if (kind === event) client.setQueryData(queryKey, JSON.parse(text) as T);
      },
      onLost: (pauseMs: number) =>
        setLiveness((known) => ({
          state: "lost",
          asOf: known.asOf,
          retryAt: new Date(Date.now() + pauseMs),
        })),
    };
    void follow(stream, listener, ending.signal);
    return () => ending.abort();
  }, [client, stream, event, name]);
  const answeredAt = query.dataUpdatedAt ? new Date(query.dataUpdatedAt) : null;
  const asOf =
    liveness.asOf && answeredAt && liveness.asOf > answeredAt ? liveness.asOf : answeredAt;
  return { ...query, liveness: { ...liveness, asOf } };
}
