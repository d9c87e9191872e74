import { Skeleton } from "@mantine/core";
import { texts } from "@/texts";
import classes from "./Overview.module.css";

/** The page's shape while its first numbers are on their way. */
export function OverviewLoading() {
  return (
    <div className={classes.grid} role="status" aria-label={texts.shared.loading}>
      <div className={classes.tiles}>
        {["total", "active", "completed", "failed"].map((tile) => (
          <Skeleton key={tile} h={112} radius="lg" />
        ))}
      </div>
      <Skeleton h={140} radius="lg" />
      <Skeleton h={320} radius="lg" className={classes.third} />
      <Skeleton h={320} radius="lg" className={classes.third} />
      <Skeleton h={320} radius="lg" className={classes.third} />
      <Skeleton h={340} radius="lg" className={classes.wide} />
      <Skeleton h={340} radius="lg" className={classes.authors} />
    </div>
  );
}
