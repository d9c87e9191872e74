import { Badge } from "@mantine/core";
import type { Status } from "@/api/types";
import { STATUS_COLORS } from "@/components/statusColors";
import { texts } from "@/texts";
import { tint } from "./tint";

/** A campaign's status; the same colour everywhere. */
export function StatusBadge({ status }: { status: Status }) {
  return <Badge style={tint(STATUS_COLORS[status])}>{texts.shared.statuses[status]}</Badge>;
}
