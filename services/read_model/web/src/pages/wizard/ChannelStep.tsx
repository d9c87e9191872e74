import { Alert, Radio, SimpleGrid, Text } from "@mantine/core";
import { IconMessage2, IconPhone } from "@tabler/icons-react";
import { useId } from "react";
import { texts } from "@/texts";
import classes from "./ChannelStep.module.css";
import type { Form } from "./fields";

const { wizard } = texts;
const ICONS = { sms: IconMessage2, voice: IconPhone } as const;

/** SMS or voice; once there is a campaign, it stays what it is. */
export function ChannelStep({ form, isFixed }: { form: Form; isFixed: boolean }) {
  const id = useId();
  return (
    <>
      <Radio.Group
        {...form.getInputProps("channel")}
        aria-label={wizard.steps.channel}
        readOnly={isFixed}
      >
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="md">
          {(["sms", "voice"] as const).map((channel) => {
            const Icon = ICONS[channel];
            return (
              <label key={channel} htmlFor={`${id} ${channel}`} className={classes.card}>
                <Radio id={`${id} ${channel}`} value={channel} disabled={isFixed} />
                <span>
                  <Text component="span" fw={650} display="flex" className={classes.name}>
                    <Icon size={18} aria-hidden />
                    {texts.shared.channels[channel]}
                  </Text>
                  <Text component="span" size="sm" c="dimmed">
                    {wizard.channelTexts[channel]}
                  </Text>
                </span>
              </label>
            );
          })}
        </SimpleGrid>
      </Radio.Group>
      {isFixed && (
        <Alert color="gray" mt="md">
          {wizard.fixedChannel}
        </Alert>
      )}
    </>
  );
}
