import { Text, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { texts } from "@/texts";
import classes from "./StepList.module.css";
import type { Step } from "./steps";

const { wizard } = texts;

interface Parts {
  steps: readonly Step[];
  step: Step;
  /** Those that somebody was at before; only they can be gone to. */
  seen: ReadonlySet<Step>;
  wrong: ReadonlySet<Step>;
  onStep: (step: Step) => void;
}

/** Where somebody is in the wizard, and ways to where they were. */
export function StepList({ steps, step, seen, wrong, onStep }: Parts) {
  return (
    <nav aria-label={wizard.stepList} className={classes.nav}>
      <Text className={classes.where} fw={600} size="sm">
        {wizard.stepOf(steps.indexOf(step) + 1, steps.length)}
        <span aria-hidden> · </span>
        {wizard.steps[step]}
      </Text>
      <ol className={classes.list}>
        {steps.map((one, place) => {
          const isHere = one === step;
          const isWrong = wrong.has(one);
          const isDone = seen.has(one) && !isHere && !isWrong;
          return (
            <li key={one}>
              <UnstyledButton
                className={classes.step}
                aria-current={isHere ? "step" : undefined}
                data-state={isWrong ? "wrong" : isDone ? "done" : undefined}
                disabled={!seen.has(one) && !isHere}
                onClick={() => onStep(one)}
              >
                <span className={classes.mark} aria-hidden>
                  {isWrong ? (
                    <IconAlertTriangle size={14} />
                  ) : isDone ? (
                    <IconCheck size={14} stroke={3} />
                  ) : (
                    place + 1
                  )}
                </span>
                <span className={classes.name}>{wizard.steps[one]}</span>
                {(isWrong || isDone) && (
                  <VisuallyHidden>{isWrong ? wizard.hasErrors : wizard.done}</VisuallyHidden>
                )}
              </UnstyledButton>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
