import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { useLinkName, useSenderName } from "@/api/names";
import type { Campaign } from "@/api/types";
import { type Fact, Facts } from "@/components/Facts";
import { smsFacts, voiceFacts } from "@/pages/detail/facts";
import { texts } from "@/texts";
import { bytes, count } from "@/texts/format";
import { bodyOf, type Draft } from "./draft";
import classes from "./ReviewStep.module.css";
import { type Step, stepOf } from "./steps";
import type { Audience } from "./useAudience";

const { wizard, detail } = texts;

interface Parts {
  draft: Draft;
  audience: Audience;
  present: Campaign["contacts"];
  onStep: (step: Step) => void;
}

/** Everything that was chosen, step by step, with ways back. */
export function ReviewStep({ draft, audience, present, onStep }: Parts) {
  const sender = useSenderName(draft.sender_id);
  const link = useLinkName(draft.link_id);
  const groups = [...groupsOf(draft, sender, link), audienceGroup(audience, present)];
  return (
    <Stack gap="md">
      <Text c="dimmed" size="sm">
        {wizard.reviewLead}
      </Text>
      {groups.map(({ step, facts }) => (
        <section key={step} className={classes.group} aria-label={wizard.steps[step]}>
          <Group justify="space-between" mb="sm">
            <Title order={3} fz="sm">
              {wizard.steps[step]}
            </Title>
            <Button
              size="compact-sm"
              variant="subtle"
              aria-label={wizard.change(wizard.steps[step])}
              onClick={() => onStep(step)}
            >
              {wizard.changeShort}
            </Button>
          </Group>
          <Facts facts={facts} />
        </section>
      ))}
    </Stack>
  );
}

interface Reviewed {
  step: Step;
  facts: Fact[];
}

const names = detail.settings;
/** In which step the settings are that the detail page names. */
const STEP_OF_FACT: Record<string, string> = {
  [names.message]: "text",
  [names.sender]: "sender_id",
  [names.link]: "link_id",
  [names.region]: "default_region",
  [names.mode]: "mode",
  [names.starts]: "mode",
  [names.ends]: "mode",
  [names.dailyWindow]: "mode",
  [names.autoStart]: "mode",
  [names.destination]: "destination",
  [names.callerIds]: "caller_ids",
  [names.campaignMode]: "campaign_mode",
  [names.window]: "time_window",
  [names.contactZone]: "time_window",
};

function groupsOf(draft: Draft, sender: string, link: string): Reviewed[] {
  const body = bodyOf(draft);
  const named: Fact = { name: wizard.name, value: draft.name || "–" };
  const facts =
    body.channel === "sms" ? smsFacts(body, sender || "–", link || "–") : voiceFacts(body);
  const groups = new Map<Step, Fact[]>([["details", [named]]]);
  for (const fact of facts) {
    const step = stepOf(STEP_OF_FACT[fact.name] ?? "concurrency_limit");
    groups.set(step, [...(groups.get(step) ?? []), fact]);
  }
  return [...groups].map(([step, all]) => ({ step, facts: all }));
}

function audienceGroup({ file }: Audience, present: Campaign["contacts"]): Reviewed {
  const had = present ? wizard.present(count(present.accepted)) : wizard.noFile;
  const value = file ? `${file.name} (${bytes(file.size)})` : had;
  return { step: "audience", facts: [{ name: wizard.file, value }] };
}
