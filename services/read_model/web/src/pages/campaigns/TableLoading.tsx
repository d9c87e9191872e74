import { Skeleton, Stack } from "@mantine/core";
import { texts } from "@/texts";

const ROWS = ["a", "b", "c", "d", "e", "f"];

/** The list's shape while its first rows are on their way. */
export function TableLoading() {
  return (
    <Stack p="md" gap="md" role="status" aria-label={texts.shared.loading}>
      {ROWS.map((row) => (
        <Skeleton key={row} h={48} radius="md" />
      ))}
    </Stack>
  );
}
