import { List, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { ProblemError } from "@/api/problem";
import { texts } from "@/texts";
import { messageOf } from "./States";

const LONG_MS = 12_000;
const closing = { "aria-label": texts.shared.close };

/** Say that something worked. */
export function notifyDone(message: string): void {
  notifications.show({
    message,
    color: "green",
    icon: <IconCheck size={18} aria-hidden />,
    closeButtonProps: closing,
  });
}

/** Say what did not work, and every reason that the platform gave. */
export function notifyFailure(title: string, error: unknown): void {
  const reasons = error instanceof ProblemError ? error.reasons : [];
  notifications.show({
    title,
    message:
      reasons.length > 1 ? (
        <List size="sm">
          {reasons.map((reason) => (
            <List.Item key={reason}>{reason}</List.Item>
          ))}
        </List>
      ) : (
        <Text size="sm">{reasons[0] ?? messageOf(error)}</Text>
      ),
    color: "red",
    icon: <IconAlertTriangle size={18} aria-hidden />,
    autoClose: LONG_MS,
    role: "alert",
    closeButtonProps: closing,
  });
}
