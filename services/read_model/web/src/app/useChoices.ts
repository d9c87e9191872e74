import { useCallback, useEffect, useRef } from "react";
import { useSearchParams } from "react-router";

export type Choices = Record<string, string | null | undefined>;

/**
 * What is chosen on a page; it stands in the address, so it survives going back, and can be sent on.
 *
 * Choices that come faster than the page is drawn add up: the router's own setter starts each time
 * from what was drawn last, and would take the one before back.
 */
export function useChoices(): [URLSearchParams, (choices: Choices) => void] {
  const [drawn, setParams] = useSearchParams();
  const latest = useRef(drawn);
  useEffect(() => {
    latest.current = drawn;
  }, [drawn]);
  const choose = useCallback(
    (choices: Choices) => {
      const next = new URLSearchParams(latest.current);
      for (const [name, value] of Object.entries(choices)) {
        if (value) next.set(name, value);
        else next.delete(name);
      }
      latest.current = next;
      setParams(next, { replace: true });
    },
    [setParams],
  );
  return [drawn, choose];
}
