import {
  ActionIcon,
  Button,
  Checkbox,
  Divider,
  Group,
  NativeSelect,
  Stack,
  Switch,
  TagsInput,
} from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { texts } from "@/texts";
import { ChoiceField, type Form, Hint, NumberField, Row, Section } from "./fields";

const { wizard, calling } = texts;
const RETRIED = ["no_answer", "busy", "rejected", "timeout", "error"] as const;

/** How the dialler goes about it. */
export function DiallerStep({ form }: { form: Form }) {
  return (
    <Stack gap="xl" maw="44rem">
      <Speed form={form} />
      <Divider />
      <Abandoned form={form} />
      <Divider />
      <Redial form={form} />
      <Divider />
      <Caps form={form} />
      <Divider />
      <Machines form={form} />
      <Divider />
      <Switch
        {...form.getInputProps("always_on", { type: "checkbox" })}
        label={wizard.alwaysOn}
        description={wizard.alwaysOnHint}
      />
    </Stack>
  );
}

function Speed({ form }: { form: Form }) {
  return (
    <Section title={wizard.seatsTitle}>
      <Row>
        <NumberField
          form={form}
          path="concurrency_limit"
          label={wizard.seats}
          description={wizard.seatsHint}
          min={0}
          max={10_000}
        />
        <NumberField form={form} path="cps_limit" label={wizard.cps} max={1000} whole={false} />
        <NumberField
          form={form}
          path="dial_timeout_s"
          label={wizard.dialTimeout}
          description={wizard.dialTimeoutHint}
          min={15}
          max={60}
          whole={false}
        />
      </Row>
      <ChoiceField
        form={form}
        path="pacing"
        label={wizard.pacing}
        names={calling.pacing}
        descriptions={calling.pacingTexts}
      />
    </Section>
  );
}

function Abandoned({ form }: { form: Form }) {
  return (
    <Section title={wizard.abandonTitle}>
      <Row>
        <NumberField
          form={form}
          path="abandon.limit"
          label={wizard.abandonLimit}
          description={wizard.abandonLimitHint}
          max={100}
          whole={false}
          suffix=" %"
        />
        <NativeSelect
          {...form.getInputProps("abandon.window")}
          label={wizard.abandonWindow}
          data={Object.entries(calling.windows).map(([value, label]) => ({ value, label }))}
          w={{ base: "100%", xs: "13rem" }}
        />
        <NumberField
          form={form}
          path="abandon.max_wait_s"
          label={wizard.maxWait}
          max={60}
          whole={false}
        />
      </Row>
    </Section>
  );
}

function Redial({ form }: { form: Form }) {
  return (
    <Section title={wizard.redialTitle}>
      <Row>
        <NumberField
          form={form}
          path="redial_rules.max_attempts"
          label={wizard.maxAttempts}
          min={1}
          max={100}
        />
        <NumberField
          form={form}
          path="redial_rules.retry_delay_minutes"
          label={wizard.retryDelay}
          whole={false}
        />
      </Row>
      <Checkbox.Group
        {...form.getInputProps("redial_rules.retry_on_system")}
        label={wizard.retryOn}
      >
        <Group mt="xs" gap="md">
          {RETRIED.map((outcome) => (
            <Checkbox key={outcome} value={outcome} label={calling.outcomes[outcome]} />
          ))}
        </Group>
      </Checkbox.Group>
      <TagsInput
        {...form.getInputProps("redial_rules.retry_on_custom")}
        label={wizard.retryOnCustom}
        description={wizard.retryOnCustomHint}
        acceptValueOnBlur
        maw="34rem"
      />
      <Switch
        {...form.getInputProps("callback_detection.enabled", { type: "checkbox" })}
        label={wizard.callbacks}
        description={wizard.callbacksHint}
      />
    </Section>
  );
}

function Caps({ form }: { form: Form }) {
  const caps = form.values.contact_caps;
  return (
    <Section title={wizard.capsTitle}>
      <Hint>{wizard.capsHint}</Hint>
      {caps.map((_, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a cap is its place in the list
        <Group key={place} align="flex-end" gap="sm">
          <NumberField
            form={form}
            path={`contact_caps.${place}.calls`}
            label={wizard.capCalls}
            min={1}
          />
          <NumberField
            form={form}
            path={`contact_caps.${place}.hours`}
            label={wizard.capHours}
            whole={false}
          />
          <ActionIcon
            variant="default"
            size={36}
            aria-label={wizard.removeCap(place + 1)}
            onClick={() => form.removeListItem("contact_caps", place)}
          >
            <IconX size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      <Button
        variant="default"
        size="xs"
        w="fit-content"
        leftSection={<IconPlus size={14} aria-hidden />}
        onClick={() => form.insertListItem("contact_caps", { calls: 3, hours: 24 })}
      >
        {wizard.addCap}
      </Button>
    </Section>
  );
}

function Machines({ form }: { form: Form }) {
  const actions = Object.entries(calling.machineActions).map(([value, label]) => ({
    value,
    label,
  }));
  return (
    <Section title={wizard.amdTitle}>
      <Switch
        {...form.getInputProps("amd.enabled", { type: "checkbox" })}
        label={wizard.amd}
        description={wizard.amdHint}
      />
      {form.values.amd.enabled && (
        <Row>
          <NumberField form={form} path="amd.total_analysis_ms" label={wizard.amdMs} />
          <NativeSelect
            {...form.getInputProps("amd.action_on_machine")}
            label={wizard.onMachine}
            data={actions}
            w={{ base: "100%", xs: "13rem" }}
          />
          <NativeSelect
            {...form.getInputProps("amd.action_on_unknown")}
            label={wizard.onUnknown}
            data={actions}
            w={{ base: "100%", xs: "13rem" }}
          />
        </Row>
      )}
    </Section>
  );
}
