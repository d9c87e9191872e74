import { Button, Group } from "@mantine/core";
import { texts } from "@/texts";

interface Parts {
  submit: string;
  busy: boolean;
  onCancel: () => void;
  color?: string | undefined;
}

/** The end of a form in a dialog: leave it, or send it. */
export function DialogButtons({ submit, busy, onCancel, color }: Parts) {
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={onCancel}>
        {texts.shared.cancel}
      </Button>
      <Button type="submit" loading={busy} color={color}>
        {submit}
      </Button>
    </Group>
  );
}
