import { Alert, Badge, Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { api, data } from "@/api/client";
import { ProblemError } from "@/api/problem";
import type { Previewed } from "@/api/types";
import { Bubble } from "@/components/Bubble";
import { Failure } from "@/components/States";
import { tint } from "@/components/tint";
import { texts } from "@/texts";
import { count } from "@/texts/format";
import type { Form } from "./fields";
import classes from "./MessageStep.module.css";
import { placeholdersOf, plain } from "./plain";
import { type FirstRows, variablesOf } from "./rows";

const { wizard } = texts;
const CALM_MS = 300;
const SHOWN_PLACES = 5;

/** What is written, what it costs, and how it arrives. */
export function MessageStep({ form, rows }: { form: Form; rows: FirstRows | null }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { text } = form.values;
  const variables = rows ? variablesOf(rows) : {};
  const preview = usePreview(text, variables);
  const insert = (name: string) => {
    const { selectionStart: from = text.length, selectionEnd: to = text.length } =
      field.current ?? {};
    form.setFieldValue("text", `${text.slice(0, from)}{{${name}}}${text.slice(to)}`);
    field.current?.focus();
  };
  const isPlain = plain(text) === text;
  return (
    <div className={classes.columns}>
      <Stack gap="sm">
        <Textarea
          {...form.getInputProps("text")}
          ref={field}
          label={wizard.text}
          description={wizard.textHint}
          autosize
          minRows={5}
          maxRows={14}
          required
          data-autofocus
        />
        {text.trim() && preview.data && <Cost previewed={preview.data} />}
        {preview.error && <NoPreview error={preview.error} retry={preview.refetch} />}
        {preview.data && text.trim() && preview.data.offending.length > 0 && (
          <Offending previewed={preview.data}>
            {!isPlain && (
              <Button
                size="xs"
                variant="default"
                onClick={() => form.setFieldValue("text", plain(text))}
              >
                {wizard.plainer}
              </Button>
            )}
          </Offending>
        )}
        <Placeholders text={text} rows={rows} />
        {Object.keys(variables).length > 0 && (
          <Group gap="xs" role="group" aria-label={wizard.insert}>
            <Text size="xs" c="dimmed">
              {wizard.insert}
            </Text>
            {Object.keys(variables).map((name) => (
              <Button key={name} size="compact-xs" variant="default" onClick={() => insert(name)}>
                {`{{${name}}}`}
              </Button>
            ))}
          </Group>
        )}
      </Stack>
      <Bubble
        title={wizard.preview}
        text={text.trim() ? (preview.data?.rendered ?? text) : null}
        empty={wizard.previewEmpty}
      />
    </div>
  );
}

function usePreview(text: string, variables: Record<string, string>) {
  const [asked] = useDebouncedValue(text, CALM_MS);
  return useQuery({
    queryKey: ["preview", asked, variables],
    queryFn: () => data(api.POST("/api/v1/messages/preview", { body: { text: asked, variables } })),
    enabled: asked.trim() !== "",
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** A text that is wrong is its author's matter; all else is tried again. */
function NoPreview({ error, retry }: { error: Error; retry: () => unknown }) {
  if (!(error instanceof ProblemError) || error.code !== "invalid") {
    return <Failure error={error} retry={retry} />;
  }
  return (
    <Alert color="red" variant="light" role="status">
      {error.message}
    </Alert>
  );
}

function Cost({ previewed }: { previewed: Previewed }) {
  return (
    <Group gap="sm" role="status">
      <Badge style={tint(previewed.encoding === "gsm7" ? "green" : "amber")}>
        {wizard.encoding[previewed.encoding]}
      </Badge>
      <Text size="sm" fw={650}>
        {wizard.segments(previewed.segments)}
      </Text>
      <Text size="sm" c="dimmed">
        {wizard.characters(count(previewed.length))}
      </Text>
    </Group>
  );
}

function Offending({ previewed, children }: { previewed: Previewed; children: React.ReactNode }) {
  const places = new Map<string, number[]>();
  for (const { character, index } of previewed.offending) {
    places.set(character, [...(places.get(character) ?? []), index + 1]);
  }
  return (
    <Alert color="amber" variant="light">
      <Text size="sm" mb="xs">
        {wizard.offending}
      </Text>
      <Group gap="xs" component="ul" className={classes.characters}>
        {[...places].map(([character, at]) => {
          const some = at.slice(0, SHOWN_PLACES).join(", ");
          return (
            <li
              key={character}
              aria-label={wizard.offendingAt(character, some)}
              className={classes.character}
            >
              <strong aria-hidden>{character}</strong>
              <span aria-hidden>
                {some}
                {at.length > SHOWN_PLACES ? " …" : ""}
              </span>
            </li>
          );
        })}
        {children}
      </Group>
    </Alert>
  );
}

function Placeholders({ text, rows }: { text: string; rows: FirstRows | null }) {
  const names = placeholdersOf(text);
  if (names.length === 0) return null;
  const absent = rows ? names.filter((name) => !rows.columns.includes(name)) : [];
  return absent.length > 0 ? (
    <Alert color="amber" variant="light">
      {wizard.notInFile(absent.join(", "))}
    </Alert>
  ) : (
    <Text size="sm" c="dimmed">
      {wizard.fromAudience(names.join(", "))}
    </Text>
  );
}
