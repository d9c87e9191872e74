import { Alert, Button, Group, List, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { modals } from "@mantine/modals";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { Navigate, useSearchParams } from "react-router";
import { ProblemError } from "@/api/problem";
import type { Campaign } from "@/api/types";
import { Page } from "@/components/Page";
import { Panel } from "@/components/Panel";
import { messageOf } from "@/components/States";
import { texts } from "@/texts";
import { ownTimezone } from "@/texts/places";
import { type Draft, draftOf, emptyDraft } from "./draft";
import { forget, keep, placeOf, recall } from "./keeping";
import { Outcome, Uploading } from "./Outcome";
import { StepContent } from "./StepContent";
import { StepList } from "./StepList";
import { inStep, type Mistakes, mistakesIn, mistakesOf, type Step, stepOf, stepsOf } from "./steps";
import { useAudience } from "./useAudience";
import { knownOf, type Saved, useSaving } from "./useSaving";
import classes from "./Wizard.module.css";

const { wizard } = texts;

interface Parts {
  /** The campaign that is edited; null for a new one. */
  campaign: Campaign | null;
  /** Begin again with nothing. */
  onDiscard: () => void;
}

/** Everything that makes a campaign, step by step. Nothing is lost on the way back, nor on a reload. */
export function Wizard({ campaign, onDiscard }: Parts) {
  const place = placeOf(campaign?.id);
  const [search] = useSearchParams();
  const [begun] = useState(() => {
    const fresh = campaign ? draftOf(campaign, ownTimezone()) : emptyDraft(ownTimezone());
    return { fresh, kept: recall(place) };
  });
  const form = useForm<Draft>({
    mode: "controlled",
    initialValues: { ...begun.fresh, ...begun.kept?.draft },
  });
  const steps = stepsOf(form.values.channel);
  const first = (search.get("step") ?? begun.kept?.step ?? "channel") as Step;
  const [step, setStep] = useState<Step>(steps.includes(first) ? first : "channel");
  const [furthest, setFurthest] = useState(() => (campaign ? steps.length : steps.indexOf(step)));
  const audience = useAudience(begun.kept?.file ?? null);
  const [refusal, setRefusal] = useState<unknown>(null);
  const [saved, setSaved] = useState<Saved | null>(null);
  const [made, setMade] = useState(campaign ? null : (begun.kept?.campaign ?? null));
  const saving = useSaving(knownOf(campaign, begun.fresh, made), setMade);
  const heading = useRef<HTMLHeadingElement>(null);

  const file = audience.file?.name ?? audience.wanted;
  useEffect(() => {
    if (saved) forget(place);
    else keep(place, { draft: form.values, step, campaign: made, file });
  }, [place, form.values, step, file, saved, made]);

  const go = (next: Step) => {
    setStep(next);
    setFurthest((known) => Math.max(known, steps.indexOf(next)));
    heading.current?.focus();
    window.scrollTo({ top: 0 });
  };
  const show = (mistakes: Mistakes) => {
    form.setErrors(mistakes);
    const wrong = new Set(Object.keys(mistakes).map(stepOf));
    const firstWrong = steps.find((one) => wrong.has(one));
    if (firstWrong) go(firstWrong);
  };
  const finish = () => {
    setRefusal(null);
    const mistakes = mistakesOf(form.values);
    if (Object.keys(mistakes).length > 0) {
      show(mistakes);
      return;
    }
    saving.mutate(
      { draft: form.values, file: audience.file },
      {
        onSuccess: setSaved,
        onError: (error) => {
          setRefusal(error);
          if (error instanceof ProblemError) show(mistakesIn(error.fields, error.reasons));
        },
      },
    );
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const mistakes = inStep(mistakesOf(form.values), step);
    if (Object.keys(mistakes).length > 0) form.setErrors(mistakes);
    else if (step === "review") finish();
    else {
      const next = steps[steps.indexOf(step) + 1];
      if (next) go(next);
    }
  };

  if (saved && !saved.upload) return <Navigate to={`/dashboard/campaigns/${saved.id}`} replace />;
  if (saved) {
    const other = () => {
      setSaved(null);
      audience.choose(null);
      go("audience");
    };
    return <Outcome saved={saved} draft={form.values} isNew={!campaign} onOther={other} />;
  }
  const previous = steps[steps.indexOf(step) - 1];
  const wrong = new Set(Object.keys(form.errors).map(stepOf));
  return (
    <Page
      title={campaign ? `${wizard.editTitle}: ${campaign.name}` : wizard.newTitle}
      actions={
        <Button variant="subtle" color="gray" onClick={() => confirmDiscard(place, onDiscard)}>
          {wizard.discard}
        </Button>
      }
    >
      <div className={classes.columns}>
        <StepList
          steps={steps}
          step={step}
          seen={new Set(steps.slice(0, furthest + 1))}
          wrong={wrong}
          onStep={go}
        />
        <form noValidate onSubmit={submit} className={classes.form}>
          {refusal !== null && <Refusal error={refusal} />}
          {saving.moving ? (
            <Uploading moving={saving.moving} />
          ) : (
            <Panel>
              <Title
                order={2}
                fz="lg"
                mb="lg"
                ref={heading}
                tabIndex={-1}
                className={classes.title}
              >
                {wizard.steps[step]}
              </Title>
              <StepContent
                step={step}
                form={form}
                audience={audience}
                campaign={campaign}
                isFixed={campaign !== null || made !== null}
                onStep={go}
              />
            </Panel>
          )}
          <Group justify="space-between" mt="md">
            <Button
              variant="default"
              disabled={!previous || saving.isPending}
              onClick={() => previous && go(previous)}
            >
              {wizard.back}
            </Button>
            <Button type="submit" loading={saving.isPending}>
              {step !== "review" ? wizard.next : campaign ? wizard.save : wizard.create}
            </Button>
          </Group>
        </form>
      </div>
    </Page>
  );
}

/** Why it was not taken; what belongs to a field stands there too. */
function Refusal({ error }: { error: unknown }) {
  const stopped = error instanceof DOMException && error.name === "AbortError";
  const reasons =
    error instanceof ProblemError
      ? [
          ...error.reasons,
          ...[...error.fields].map(([field, reason]) =>
            field === "body" ? reason : `${field}: ${reason}`,
          ),
        ]
      : [];
  return (
    <Alert
      color={stopped ? "amber" : "red"}
      title={reasons.length > 0 ? wizard.mustFix : wizard.notSaved}
      role="alert"
      mb="md"
    >
      {reasons.length > 0 ? (
        <List size="sm">
          {reasons.map((reason) => (
            <List.Item key={reason}>{reason}</List.Item>
          ))}
        </List>
      ) : stopped ? (
        wizard.uploadStopped
      ) : (
        messageOf(error)
      )}
    </Alert>
  );
}

function confirmDiscard(place: string, onDiscard: () => void): void {
  modals.openConfirmModal({
    title: wizard.discardTitle,
    children: wizard.discardText,
    labels: { confirm: wizard.discardConfirm, cancel: texts.shared.cancel },
    confirmProps: { color: "red" },
    onConfirm: () => {
      forget(place);
      onDiscard();
    },
  });
}
