import type { Campaign } from "@/api/types";
import { AudienceStep } from "./AudienceStep";
import { ChannelStep } from "./ChannelStep";
import { DiallerStep } from "./DiallerStep";
import type { Form } from "./fields";
import { MessageStep } from "./MessageStep";
import { CallersStep, DetailsStep, SenderStep } from "./PlainSteps";
import { ReviewStep } from "./ReviewStep";
import { ScheduleStep } from "./ScheduleStep";
import type { Step } from "./steps";
import type { Audience } from "./useAudience";

interface Parts {
  step: Step;
  form: Form;
  audience: Audience;
  campaign: Campaign | null;
  /** The channel can not be chosen any more. */
  isFixed: boolean;
  onStep: (step: Step) => void;
}

/** The fields of one step. */
export function StepContent({ step, form, audience, campaign, isFixed, onStep }: Parts) {
  const present = campaign?.contacts ?? null;
  switch (step) {
    case "channel":
      return <ChannelStep form={form} isFixed={isFixed} />;
    case "details":
      return <DetailsStep form={form} />;
    case "sender":
      return <SenderStep form={form} />;
    case "callers":
      return <CallersStep form={form} />;
    case "message":
      return <MessageStep form={form} rows={audience.rows} />;
    case "audience":
      return (
        <AudienceStep
          audience={audience}
          present={present}
          isTrigger={form.values.channel === "sms" && form.values.mode === "trigger"}
          isLocked={campaign !== null && isLocked(campaign)}
        />
      );
    case "dialler":
      return <DiallerStep form={form} />;
    case "schedule":
      return <ScheduleStep form={form} />;
    case "review":
      return (
        <ReviewStep draft={form.values} audience={audience} present={present} onStep={onStep} />
      );
    default:
      return step satisfies never;
  }
}

/** A voice audience stays what it was once calls were placed. */
function isLocked(campaign: Campaign): boolean {
  return campaign.channel === "voice" && (campaign.status !== "draft" || campaign.run_number > 1);
}
