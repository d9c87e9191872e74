import { Anchor, Button, Center, Stack, Text, Title } from "@mantine/core";
import { Link, useRouteError } from "react-router";
import { texts } from "@/texts";

/** A page that broke: a new build may have replaced its files, so loading again often helps. */
export function RouteError() {
  const error = useRouteError();
  return (
    <Center mih="60vh" p="md">
      <Stack align="center" gap="sm" maw={480} ta="center">
        <Title order={1}>{texts.shared.errors.broken}</Title>
        <Text c="dimmed">{error instanceof Error ? error.message : String(error)}</Text>
        <Button onClick={() => window.location.reload()}>{texts.shared.errors.reload}</Button>
      </Stack>
    </Center>
  );
}

export function NotFound() {
  return (
    <Center mih="60vh" p="md">
      <Stack align="center" gap="sm" maw={480} ta="center">
        <Title order={1}>{texts.shared.errors.notFoundTitle}</Title>
        <Text c="dimmed">{texts.shared.errors.notFound}</Text>
        <Anchor component={Link} to="/dashboard">
          {texts.shared.errors.toOverview}
        </Anchor>
      </Stack>
    </Center>
  );
}
