import { Alert, Button, Group, Text } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { texts } from "@/texts";

/** Says that the numbers below are not those of now. */
export function PastRun({ run, toCurrent }: { run: number; toCurrent: () => void }) {
  return (
    <Alert mb="md" color="blue" variant="light" icon={<IconHistory aria-hidden />}>
      <Group justify="space-between" gap="sm">
        <Text size="sm">{texts.detail.pastRun(run)}</Text>
        <Button size="xs" variant="default" onClick={toCurrent}>
          {texts.detail.toCurrentRun}
        </Button>
      </Group>
    </Alert>
  );
}
