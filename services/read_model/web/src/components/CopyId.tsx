import { ActionIcon, CopyButton, Group, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { texts } from "@/texts";
import { shortId } from "@/texts/format";

/** A short id, with a button that copies the whole one. */
export function CopyId({ id }: { id: string }) {
  return (
    <Group component="span" gap={2} wrap="nowrap" display="inline-flex">
      <Text component="span" size="sm" ff="monospace" title={id}>
        {shortId(id)}
      </Text>
      <CopyButton value={id} timeout={2000}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? texts.shared.copied : texts.shared.copyId}>
            <ActionIcon
              variant="subtle"
              color={copied ? "teal" : "gray"}
              size="sm"
              onClick={copy}
              aria-label={copied ? texts.shared.copied : texts.shared.copyId}
            >
              {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}
