import { CloseButton, NativeSelect, Switch, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import type { Channel, Status } from "@/api/types";
import { texts } from "@/texts";
import classes from "./Campaigns.module.css";
import { type Filters, STATUSES } from "./filters";

const { campaigns: words } = texts;

interface Parts {
  filters: Filters;
  change: (changes: Partial<Filters>) => void;
}

/** What to look for. */
export function FilterBar({ filters, change }: Parts) {
  return (
    <search className={classes.filters}>
      <TextInput
        className={classes.search}
        type="search"
        label={words.search}
        placeholder={words.searchPlaceholder}
        value={filters.search}
        onChange={(changed) => change({ search: changed.currentTarget.value })}
        leftSection={<IconSearch size={16} aria-hidden />}
        rightSection={
          filters.search && (
            <CloseButton
              size="sm"
              aria-label={words.clearSearch}
              onClick={() => change({ search: "" })}
            />
          )
        }
      />
      <NativeSelect
        label={words.status}
        value={filters.status ?? ""}
        onChange={(changed) => change({ status: (changed.currentTarget.value as Status) || null })}
        data={[
          { value: "", label: words.allStatuses },
          ...STATUSES.map((value) => ({ value, label: texts.shared.statuses[value] })),
        ]}
      />
      <NativeSelect
        label={words.channel}
        value={filters.channel ?? ""}
        onChange={(changed) =>
          change({ channel: (changed.currentTarget.value as Channel) || null })
        }
        data={[
          { value: "", label: words.allChannels },
          { value: "sms", label: texts.shared.channels.sms },
          { value: "voice", label: texts.shared.channels.voice },
        ]}
      />
      <Switch
        className={classes.archived}
        label={words.archived}
        checked={filters.archived}
        onChange={(changed) => change({ archived: changed.currentTarget.checked })}
      />
    </search>
  );
}
