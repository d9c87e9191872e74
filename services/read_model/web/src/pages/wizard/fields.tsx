// Fields that several steps of the wizard share.
import { Group, NumberInput, Paper, Radio, Select, Stack, Text, Title } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { type ReactNode, useId, useMemo } from "react";
import { texts } from "@/texts";
import { timezones } from "@/texts/places";
import type { Draft } from "./draft";

export type Form = UseFormReturnType<Draft>;

/** Fields that belong together, under a name. */
export function Section({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <Stack component="section" gap="md" aria-labelledby={id}>
      <Title order={3} id={id} fz="sm">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

interface Numeric {
  form: Form;
  path: string;
  label: string;
  description?: string;
  min?: number;
  max?: number;
  whole?: boolean;
  suffix?: string;
}

/** A number of the draft. */
export function NumberField({ form, path, whole = true, ...rest }: Numeric) {
  return (
    <NumberInput
      {...form.getInputProps(path)}
      {...rest}
      allowDecimal={!whole}
      allowNegative={false}
      clampBehavior="none"
      w={{ base: "100%", xs: "13rem" }}
      inputWrapperOrder={["label", "input", "description", "error"]}
    />
  );
}

interface Choice<T extends string> {
  form: Form;
  path: string;
  label: string;
  /** The choices by value, and what each means. */
  names: Record<T, string>;
  descriptions?: Record<T, string>;
}

/** One of a few choices, each explained. */
export function ChoiceField<T extends string>({
  form,
  path,
  label,
  names,
  descriptions,
}: Choice<T>) {
  return (
    <Radio.Group {...form.getInputProps(path)} label={label}>
      <Stack gap="xs" mt={6}>
        {(Object.keys(names) as T[]).map((value) => (
          <Paper key={value} withBorder p="sm" radius="md">
            <Radio value={value} label={names[value]} description={descriptions?.[value]} />
          </Paper>
        ))}
      </Stack>
    </Radio.Group>
  );
}

interface Zone {
  form: Form;
  path: string;
}

/** A time zone of the world. */
export function TimezoneField({ form, path }: Zone) {
  const zones = useMemo(timezones, []);
  return (
    <Select
      {...form.getInputProps(path)}
      label={texts.wizard.timezone}
      data={zones}
      searchable
      limit={60}
      allowDeselect={false}
      w={{ base: "100%", xs: "16rem" }}
    />
  );
}

/** Fields side by side, while there is room. */
export function Row({ children }: { children: ReactNode }) {
  return (
    <Group gap="md" align="flex-start">
      {children}
    </Group>
  );
}

/** A remark below a field. */
export function Hint({ children }: { children: ReactNode }) {
  return (
    <Text size="xs" c="dimmed">
      {children}
    </Text>
  );
}
