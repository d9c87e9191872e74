import { ThemeIcon } from "@mantine/core";
import { IconMessage, IconPhone } from "@tabler/icons-react";
import type { Channel } from "@/api/types";
import { texts } from "@/texts";
import classes from "./ChannelIcon.module.css";

/** Whether a campaign writes or calls. */
export function ChannelIcon({ channel, size = 32 }: { channel: Channel; size?: number }) {
  const Icon = channel === "voice" ? IconPhone : IconMessage;
  return (
    <ThemeIcon size={size} radius="md" className={classes.icon} data-channel={channel}>
      <Icon size={size * 0.55} role="img" aria-label={texts.shared.channels[channel]} />
    </ThemeIcon>
  );
}
