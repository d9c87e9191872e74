import type { CSSProperties } from "react";

/** The colours of a light badge that can be read: dark on a tint, or light on a shade. */
export function tint(color: string): CSSProperties {
  return {
    "--tint-light": `var(--mantine-color-${color}-8)`,
    "--tint-bg-light": `var(--mantine-color-${color}-1)`,
    "--tint-dark": `var(--mantine-color-${color}-3)`,
    "--tint-bg-dark": `color-mix(in srgb, var(--mantine-color-${color}-5) 20%, transparent)`,
  } as CSSProperties;
}
