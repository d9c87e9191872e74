import type { CSSProperties } from "react";

/** The colours of a badge that can be read at its size: dark on a tint, or light on a shade. */
export function tint(color: string): CSSProperties {
  const shade = (step: number) => `var(--mantine-color-${color}-${step})`;
  const dim = `color-mix(in srgb, ${shade(5)} 20%, transparent)`;
  return {
    "--badge-color": `light-dark(${shade(8)}, ${shade(3)})`,
    "--badge-bg": `light-dark(${shade(1)}, ${dim})`,
    minWidth: "max-content",
  } as CSSProperties;
}
