import { Checkbox, Group, Stack, Switch, TextInput } from "@mantine/core";
import { texts } from "@/texts";
import { ownTimezone } from "@/texts/places";
import type { Draft } from "./draft";
import { ChoiceField, type Form, Row, Section, TimezoneField } from "./fields";

const { wizard, calling } = texts;
const DAYS = Object.keys(calling.days) as Draft["time_window"]["days"];

/** When it goes out, or when calls may be placed. */
export function ScheduleStep({ form }: { form: Form }) {
  return form.values.channel === "voice" ? (
    <VoiceSchedule form={form} />
  ) : (
    <SmsSchedule form={form} />
  );
}

function SmsSchedule({ form }: { form: Form }) {
  const { mode, windowed } = form.values;
  return (
    <Stack gap="xl" maw="44rem">
      <ChoiceField
        form={form}
        path="mode"
        label={wizard.mode}
        names={calling.modes}
        descriptions={calling.modeTexts}
      />
      <Row>
        {mode !== "on_demand" && (
          <Moment
            form={form}
            path="starts_at"
            label={wizard.startsAt}
            required={mode !== "trigger"}
          />
        )}
        <Moment form={form} path="ends_at" label={wizard.endsAt} required={mode === "spread"} />
      </Row>
      <Stack gap="md">
        <Switch
          {...form.getInputProps("windowed", { type: "checkbox" })}
          label={wizard.dailyWindow}
          description={wizard.dailyWindowHint}
        />
        {windowed && <Hours form={form} path="daily_window" />}
      </Stack>
      <Switch
        {...form.getInputProps("auto_start", { type: "checkbox" })}
        label={wizard.autoStart}
        description={wizard.autoStartHint}
      />
    </Stack>
  );
}

function VoiceSchedule({ form }: { form: Form }) {
  return (
    <Stack gap="xl" maw="44rem">
      <ChoiceField
        form={form}
        path="campaign_mode"
        label={wizard.campaignMode}
        names={calling.campaignModes}
        descriptions={calling.campaignModeTexts}
      />
      <Section title={wizard.windowTitle}>
        <Hours form={form} path="time_window" />
        <Checkbox.Group {...form.getInputProps("time_window.days")} label={wizard.days}>
          <Group mt="xs" gap="md">
            {DAYS.map((day) => (
              <Checkbox key={day} value={day} label={calling.days[day]} />
            ))}
          </Group>
        </Checkbox.Group>
        <Switch
          {...form.getInputProps("respect_contact_timezone", { type: "checkbox" })}
          label={wizard.contactZone}
          description={wizard.contactZoneHint}
        />
      </Section>
    </Stack>
  );
}

interface Path {
  form: Form;
  path: string;
}

function Moment({ form, path, ...rest }: Path & { label: string; required: boolean }) {
  return (
    <TextInput
      {...form.getInputProps(path)}
      {...rest}
      type="datetime-local"
      description={wizard.localTime(ownTimezone())}
      inputWrapperOrder={["label", "input", "description", "error"]}
      w={{ base: "100%", xs: "16rem" }}
    />
  );
}

function Hours({ form, path }: Path) {
  return (
    <Row>
      <TextInput
        {...form.getInputProps(`${path}.start`)}
        type="time"
        label={wizard.from}
        w="8rem"
      />
      <TextInput {...form.getInputProps(`${path}.end`)} type="time" label={wizard.to} w="8rem" />
      <TimezoneField form={form} path={`${path}.timezone`} />
    </Row>
  );
}
