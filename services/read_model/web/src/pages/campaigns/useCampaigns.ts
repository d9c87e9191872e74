import { useInfiniteQuery, useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { api, data } from "@/api/client";
import type { CampaignRow, Status } from "@/api/types";
import { type Filters, idIn, passes } from "./filters";

/** What is read at once: some for who looks, many for who searches. */
const SOME = 100;
const MANY = 1000;
const SOON_MS = 3_000;
const LATER_MS = 15_000;
/** Of so many campaigns that have just moved on, each is asked for by itself. */
const MOST_MOVED = 20;
const UNDER_WAY: readonly Status[] = ["building", "pending", "sending", "paused", "running"];

type Wanted = Omit<Filters, "search">;

function page({ status, channel, archived }: Wanted, limit: number, cursor: string | null) {
  const query = { status: status ? [status] : null, channel, archived, limit, cursor };
  return data(api.GET("/api/v1/campaigns", { params: { query } }));
}

function one(id: string) {
  return data(
    api.GET("/api/v1/campaigns/{campaign_id}", { params: { path: { campaign_id: id } } }),
  ) as Promise<CampaignRow>;
}

/** Pages of the list, as far as somebody has looked. */
function usePages(wanted: Wanted, limit: number, enabled: boolean) {
  return useInfiniteQuery({
    queryKey: ["campaigns", "pages", wanted, limit],
    queryFn: ({ pageParam }) => page(wanted, limit, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: Number.POSITIVE_INFINITY, // what changes is asked for by itself, see below
    gcTime: 60_000,
    refetchOnMount: "always",
    enabled,
  });
}

/**
 * The campaigns under these filters, the newest first, each as it is now.
 *
 * Nothing that is read grows with the number of campaigns: the list comes page by page, the newest page
 * and what is under way are read again and again, and only a search goes through everything, once.
 */
export function useCampaigns(filters: Filters) {
  const { search, ...wanted } = filters;
  const id = idIn(search);
  const isSearch = search.trim() !== "" && id === null;
  const listed = usePages(wanted, SOME, !isSearch);
  const searched = usePages(wanted, MANY, isSearch);
  const { hasNextPage, isFetchingNextPage, fetchNextPage, isError } = searched;
  useEffect(() => {
    if (isSearch && hasNextPage && !isFetchingNextPage && !isError) void fetchNextPage();
  }, [isSearch, hasNextPage, isFetchingNextPage, isError, fetchNextPage]);
  const known = isSearch ? searched : listed;
  const news = useNews(wanted);
  const wantedOne = useQuery({
    queryKey: ["campaign", id, "row"],
    queryFn: () => one(id ?? ""),
    enabled: id !== null,
    retry: false,
  });
  const pages = known.data?.pages;
  const newest = useMemo(() => {
    const rows = new Map((pages ?? []).flatMap(({ items }) => items).map((row) => [row.id, row]));
    for (const row of news) rows.set(row.id, row);
    if (wantedOne.data) rows.set(wantedOne.data.id, wantedOne.data);
    return rows;
  }, [pages, news, wantedOne.data]);
  const moved = useMoved(newest, news);
  const rows = useMemo(
    () =>
      [...newest.values()]
        .map((row) => moved.get(row.id) ?? row)
        .filter((row) => passes(row, id === null ? filters : { ...filters, search: id }))
        .sort((a, b) => (a.created_at < b.created_at ? 1 : -1)),
    [newest, moved, filters, id],
  );
  return {
    rows,
    lookedAt: newest.size,
    isSearch,
    isPending: known.isPending || (id !== null && wantedOne.isPending),
    isLookingOn: isSearch && (hasNextPage || searched.isFetching),
    error: known.error,
    refetch: known.refetch,
    hasMore: !isSearch && id === null && listed.hasNextPage,
    isLoadingMore: listed.isFetchingNextPage,
    loadMore: listed.fetchNextPage,
  };
}

/** The newest page and everything that is under way, read again for as long as somebody looks. */
function useNews(wanted: Wanted): readonly CampaignRow[] {
  const [first, moving] = useQueries({
    queries: [
      {
        queryKey: ["campaigns", "newest", wanted],
        queryFn: () => page(wanted, SOME, null),
        refetchInterval: LATER_MS,
      },
      {
        queryKey: ["campaigns", "moving"],
        queryFn: () =>
          data(
            api.GET("/api/v1/campaigns", {
              params: { query: { status: [...UNDER_WAY], limit: SOME } },
            }),
          ),
        refetchInterval: SOON_MS,
      },
    ],
  });
  const [firstAt, movingAt] = [first.dataUpdatedAt, moving.dataUpdatedAt];
  // Where both know a row, the later answer is right.
  return useMemo(() => {
    const both = [first.data?.items ?? [], moving.data?.items ?? []];
    return (firstAt > movingAt ? both.reverse() : both).flat();
  }, [first.data, moving.data, firstAt, movingAt]);
}

/** What was under way when it was last read, but is not any more: asked for by itself. */
function useMoved(
  known: ReadonlyMap<string, CampaignRow>,
  news: readonly CampaignRow[],
): ReadonlyMap<string, CampaignRow> {
  const ids = useMemo(() => {
    if (news.length === 0) return [];
    const fresh = new Set(news.map((row) => row.id));
    return [...known.values()]
      .filter((row) => UNDER_WAY.includes(row.status) && !fresh.has(row.id))
      .slice(0, MOST_MOVED)
      .map((row) => row.id);
  }, [known, news]);
  return useQueries({
    queries: ids.map((id) => ({
      queryKey: ["campaign", id, "row"],
      queryFn: () => one(id),
      refetchInterval: SOON_MS,
    })),
    combine: (answers) =>
      new Map(answers.flatMap(({ data: row }) => (row ? [[row.id, row] as const] : []))),
  });
}
