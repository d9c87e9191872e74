import { Skeleton, Stack } from "@mantine/core";
import { texts } from "@/texts";

/** Rows that are on their way. */
export function RowsLoading({ rows = 6 }: { rows?: number }) {
  return (
    <Stack gap="sm" p="md" role="status" aria-label={texts.shared.loading}>
      {Array.from({ length: rows }, (_, row) => `row ${row}`).map((row) => (
        <Skeleton key={row} h={24} />
      ))}
    </Stack>
  );
}
