import { Button, Center, VisuallyHidden } from "@mantine/core";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { texts } from "@/texts";
import classes from "./Campaigns.module.css";
import { Row } from "./Row";
import type { useCampaigns } from "./useCampaigns";

const { campaigns: words } = texts;
const ROW_PX = 81;
const AHEAD = 8;

type List = Pick<
  ReturnType<typeof useCampaigns>,
  "rows" | "hasMore" | "isLoadingMore" | "loadMore"
>;

/** The rows in sight, out of however many there are. */
export function CampaignTable({ list }: { list: List }) {
  const { rows, hasMore, isLoadingMore, loadMore } = list;
  const top = useRef<HTMLDivElement>(null);
  const [above, setAbove] = useState(0);
  useLayoutEffect(() => {
    setAbove((top.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
  }, []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: AHEAD,
    scrollMargin: above,
  });
  const seen = virtual.getVirtualItems();
  const last = seen.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !isLoadingMore && last >= rows.length - AHEAD) void loadMore();
  }, [hasMore, isLoadingMore, loadMore, last, rows.length]);
  return (
    <>
      <div role="table" aria-label={words.table} aria-rowcount={hasMore ? -1 : rows.length + 1}>
        <Head />
        <div
          ref={top}
          role="rowgroup"
          className={classes.body}
          style={{ height: virtual.getTotalSize() }}
        >
          {seen.map(({ index, key, start }) => {
            const campaign = rows[index];
            return (
              campaign && (
                <Row
                  key={key}
                  campaign={campaign}
                  index={index}
                  measure={virtual.measureElement}
                  offset={start - above}
                />
              )
            );
          })}
        </div>
      </div>
      {hasMore && (
        <Center p="md">
          <Button variant="default" loading={isLoadingMore} onClick={() => void loadMore()}>
            {words.more}
          </Button>
        </Center>
      )}
    </>
  );
}

function Head() {
  const { columns } = words;
  return (
    <div role="rowgroup">
      <div role="row" aria-rowindex={1} className={`${classes.row} ${classes.head}`}>
        <div role="columnheader">{columns.name}</div>
        <div role="columnheader">{columns.status}</div>
        <div role="columnheader">{columns.progress}</div>
        <div role="columnheader">{columns.answerRate}</div>
        <div role="columnheader">{columns.completion}</div>
        <div role="columnheader">
          <VisuallyHidden>{columns.actions}</VisuallyHidden>
        </div>
      </div>
    </div>
  );
}
