import { SegmentedControl } from "@mantine/core";
import type { Channel } from "@/api/types";
import { texts } from "@/texts";

interface Choice {
  /** What is chosen for, read aloud. */
  label: string;
  value: Channel;
  onChange: (value: Channel) => void;
}

/** Whether SMS or calls are shown. */
export function ChannelChoice({ label, value, onChange }: Choice) {
  return (
    <SegmentedControl
      size="xs"
      aria-label={label}
      value={value}
      onChange={(chosen) => onChange(chosen as Channel)}
      data={(["sms", "voice"] as const).map((channel) => ({
        value: channel,
        label: texts.shared.channels[channel],
      }))}
    />
  );
}
