import { Alert, Button, Center, Loader, Stack, Text, ThemeIcon } from "@mantine/core";
import { IconAlertTriangle, IconInbox } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { ProblemError } from "@/api/problem";
import { texts } from "@/texts";

/** A page whose program is on its way. */
export function PageLoading() {
  return (
    <Center mih="60vh">
      <Loader aria-label={texts.shared.loading} />
    </Center>
  );
}

/** What people read about an error: its own words, and what to do about it. */
export function messageOf(error: unknown): string {
  if (!(error instanceof ProblemError)) return String(error);
  if (error.status === 0) return texts.shared.errors.unreachable;
  if (error.status === 403) return texts.shared.errors.forbidden;
  return [error.message, ...error.reasons].join(" ");
}

interface Failed {
  error: unknown;
  retry?: () => unknown;
  title?: string;
}

/** In place of what could not be loaded. */
export function Failure({ error, retry, title = texts.shared.errors.title }: Failed) {
  return (
    <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title={title} role="alert">
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{messageOf(error)}</Text>
        {retry && (
          <Button size="xs" color="red" variant="outline" onClick={() => void retry()}>
            {texts.shared.retry}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

interface Nothing {
  title: string;
  children?: ReactNode;
  icon?: ReactNode;
}

/** In place of a list that has nothing in it; say what brings something there. */
export function Empty({ title, children, icon = <IconInbox aria-hidden /> }: Nothing) {
  return (
    <Stack align="center" gap="xs" py="xl" px="md" ta="center">
      <ThemeIcon size={48} radius="xl" variant="light" color="gray">
        {icon}
      </ThemeIcon>
      <Text fw={600}>{title}</Text>
      {children && (
        <Text component="div" size="sm" c="dimmed" maw={420}>
          {children}
        </Text>
      )}
    </Stack>
  );
}
