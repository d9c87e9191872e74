import { Group, Text } from "@mantine/core";
import { texts } from "@/texts";

/** The bell and the name. */
export function Brand() {
  return (
    <Group gap={10} wrap="nowrap">
      <img src="/carillon.svg" alt="" width={28} height={28} />
      <Text fw={700} size="lg" lts="-0.01em">
        {texts.shared.product}
      </Text>
    </Group>
  );
}
