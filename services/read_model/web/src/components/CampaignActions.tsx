import { ActionIcon, Button, Group, Menu, Text, Tooltip } from "@mantine/core";
import { modals } from "@mantine/modals";
import {
  IconArchive,
  IconArchiveOff,
  IconArrowBackUp,
  IconCopy,
  IconDots,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
  IconTrash,
} from "@tabler/icons-react";
import type { MouseEvent } from "react";
import { useNavigate } from "react-router";
import type { Action } from "@/api/types";
import { useCampaignAction, type Wish } from "@/api/useCampaignAction";
import { useCoreIsDown } from "@/app/useCore";
import { texts } from "@/texts";

const ICONS: Record<Action, typeof IconCopy> = {
  edit: IconPencil,
  clone: IconCopy,
  restart: IconRefresh,
  "cancel-restart": IconArrowBackUp,
  start: IconPlayerPlay,
  pause: IconPlayerPause,
  resume: IconPlayerPlay,
  stop: IconPlayerStop,
  delete: IconTrash,
  archive: IconArchive,
  restore: IconArchiveOff,
};
/** The order in which buttons stand, wherever they are. */
const BUTTONS: readonly Action[] = [
  "edit",
  "clone",
  "restart",
  "cancel-restart",
  "start",
  "pause",
  "resume",
  "stop",
  "delete",
];
/** What is seldom wanted stands behind the dots. */
const MORE: readonly Action[] = ["archive", "restore"];
const NEEDS_CORE: readonly Action[] = ["start", "resume"];
const COLORS: Partial<Record<Action, string>> = {
  start: "teal",
  resume: "teal",
  stop: "red",
  delete: "red",
};

interface Parts {
  campaign: { id: string; name: string; actions: readonly Action[] };
  /** Buttons with words, for a page that is about this campaign. */
  words?: boolean;
}

/** What the caller may do with a campaign now: exactly its `actions`, in one order. */
export function CampaignActions({ campaign, words = false }: Parts) {
  const act = useCampaignAction();
  const navigate = useNavigate();
  const coreIsDown = useCoreIsDown();
  const { id, name, actions } = campaign;
  const wish = (action: Action) => {
    if (action === "edit") void navigate(`/dashboard/campaigns/${id}/edit`);
    else confirmed({ id, name, action }, act.mutate);
  };
  const more = MORE.filter((action) => actions.includes(action));
  return (
    <Group
      gap={words ? "xs" : 4}
      wrap={words ? "wrap" : "nowrap"}
      role="group"
      aria-label={texts.actions.group(name)}
    >
      {BUTTONS.filter((action) => actions.includes(action)).map((action) => (
        <ActionButton
          key={action}
          action={action}
          campaign={campaign}
          words={words}
          reason={coreIsDown && NEEDS_CORE.includes(action) ? texts.shell.coreDownStart : null}
          busy={act.isPending && act.variables.action === action}
          onClick={() => wish(action)}
        />
      ))}
      {more.length > 0 && (
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={words ? 36 : "lg"}
              aria-label={texts.actions.more(name)}
            >
              <IconDots size={18} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {more.map((action) => {
              const Icon = ICONS[action];
              return (
                <Menu.Item
                  key={action}
                  leftSection={<Icon size={16} aria-hidden />}
                  onClick={() => wish(action)}
                >
                  {texts.actions.names[action]}
                </Menu.Item>
              );
            })}
          </Menu.Dropdown>
        </Menu>
      )}
    </Group>
  );
}

interface OneAction {
  action: Action;
  campaign: Parts["campaign"];
  words: boolean;
  /** Why it can not be done just now. */
  reason: string | null;
  busy: boolean;
  onClick: () => void;
}

function ActionButton({ action, campaign, words, reason, busy, onClick }: OneAction) {
  const Icon = ICONS[action];
  const label = texts.actions.names[action];
  const color = COLORS[action] ?? "gray";
  const shared = {
    color,
    loading: busy,
    // Not `disabled`: who hovers or comes by keyboard must hear the reason.
    "data-disabled": reason ? true : undefined,
    "aria-disabled": reason ? true : undefined,
    onClick: (event: MouseEvent) => {
      event.stopPropagation();
      if (reason) event.preventDefault();
      else onClick();
    },
  };
  return (
    <Tooltip label={reason ?? label} disabled={words && !reason}>
      {words ? (
        <Button
          {...shared}
          variant={action === "start" || action === "resume" ? "filled" : "default"}
          leftSection={<Icon size={16} aria-hidden />}
        >
          {label}
        </Button>
      ) : (
        <ActionIcon
          {...shared}
          variant="subtle"
          size="lg"
          aria-label={texts.actions.of(label, campaign.name)}
        >
          <Icon size={18} stroke={1.75} aria-hidden />
        </ActionIcon>
      )}
    </Tooltip>
  );
}

/** What can not be undone is asked about first. */
function confirmed(wish: Wish, carryOut: (wish: Wish) => void): void {
  const { actions } = texts;
  if (wish.action !== "delete" && wish.action !== "stop") {
    carryOut(wish);
    return;
  }
  const isDelete = wish.action === "delete";
  modals.openConfirmModal({
    title: isDelete ? actions.deleteTitle : actions.stopTitle,
    children: (
      <Text size="sm">
        {isDelete ? actions.deleteText(wish.name) : actions.stopText(wish.name)}
      </Text>
    ),
    labels: {
      confirm: isDelete ? actions.deleteConfirm : actions.stopConfirm,
      cancel: texts.shared.cancel,
    },
    confirmProps: { color: "red" },
    onConfirm: () => carryOut(wish),
  });
}
