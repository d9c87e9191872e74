import { Button, Group, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { texts } from "@/texts";

interface Pages {
  page: number;
  toNext?: () => void;
  toPrevious?: () => void;
}

/** Leaf through a list whose end is not known; nothing when it has one page only. */
export function Pager({ pages }: { pages: Pages }) {
  const { page, toNext, toPrevious } = pages;
  if (!toNext && !toPrevious) return null;
  return (
    <Group component="nav" justify="space-between" p="sm" aria-label={texts.paging.label}>
      <Button
        variant="default"
        size="xs"
        disabled={!toPrevious}
        onClick={toPrevious}
        leftSection={<IconChevronLeft size={14} aria-hidden />}
      >
        {texts.paging.previous}
      </Button>
      <Text size="sm" c="dimmed" role="status">
        {texts.paging.page(page)}
      </Text>
      <Button
        variant="default"
        size="xs"
        disabled={!toNext}
        onClick={toNext}
        rightSection={<IconChevronRight size={14} aria-hidden />}
      >
        {texts.paging.next}
      </Button>
    </Group>
  );
}
