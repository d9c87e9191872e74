import { keepPreviousData, type QueryKey, useQuery } from "@tanstack/react-query";
import { useState } from "react";

interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

interface Book<T> {
  key: QueryKey;
  read: (cursor: string | undefined) => Promise<Page<T>>;
  /** How often the page that is shown is read again; `false` for never. */
  everyMs?: number | false;
  enabled?: boolean;
}

/** One page of a list at a time; another key begins again at the first page. */
export function usePages<T>({ key, read, everyMs = false, enabled = true }: Book<T>) {
  const name = JSON.stringify(key);
  const [turned, setTurned] = useState<{ name: string; cursors: string[] }>({ name, cursors: [] });
  const cursors = turned.name === name ? turned.cursors : [];
  const cursor = cursors.at(-1);
  const query = useQuery({
    queryKey: [...key, { cursor: cursor ?? null }],
    queryFn: () => read(cursor),
    refetchInterval: everyMs,
    placeholderData: keepPreviousData,
    enabled,
  });
  const next = query.data?.next_cursor ?? null;
  return {
    ...query,
    items: query.data?.items ?? [],
    page: cursors.length + 1,
    toNext: next === null ? undefined : () => setTurned({ name, cursors: [...cursors, next] }),
    toPrevious:
      cursors.length === 0 ? undefined : () => setTurned({ name, cursors: cursors.slice(0, -1) }),
  };
}
