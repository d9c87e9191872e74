"""A plain bar chart as SVG: two panels, groups of bars, numbers on top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COLOURS = {"predictive": "#2563eb", "fixed ratio": "#94a3b8", "progressive": "#cbd5e1"}
WIDTH, HEIGHT = 760, 300
PANEL, TALL, TOP, LEFT = 360, 190, 44, 20


@dataclass(frozen=True, slots=True)
class Series:
    """One panel: its title, a row of values per name, and the scale."""

    title: str
    values: Mapping[str, Sequence[float]]
    low: float
    high: float


def draw(path: Path, groups: Sequence[str], *panels: Series) -> None:
    """Write the chart."""
    look = 'font-family="system-ui, sans-serif" font-size="12" role="img"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {look}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(LEFT + number * (PANEL + 10), groups, panel)
    for number, (name, colour) in enumerate(COLOURS.items()):
        at = LEFT + number * 120
        parts.append(f'<rect x="{at}" y="272" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{at + 18}" y="282" fill="#334155">{name}</text>')
    path.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _panel(left: float, groups: Sequence[str], panel: Series) -> list[str]:
    parts = [f'<text x="{left}" y="24" font-weight="600" fill="#0f172a">{panel.title}</text>']
    wide = (PANEL - 20) / len(groups)
    bar = (wide - 16) / len(panel.values)
    for group, label in enumerate(groups):
        start = left + group * wide
        middle = start + (wide - 16) / 2
        parts.append(
            f'<text x="{middle:.0f}" y="254" text-anchor="middle" fill="#334155">{label}</text>'
        )
        for place, (name, values) in enumerate(panel.values.items()):
            share = min(max((values[group] - panel.low) / (panel.high - panel.low), 0.0), 1.0)
            x, tall = start + place * bar, TALL * share
            y = TOP + TALL - tall
            colour = COLOURS[name]
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{bar - 3:.1f}" height="{tall:.1f}" '
                f'rx="2" fill="{colour}"/>'
            )
            parts.append(
                f'<text x="{x + (bar - 3) / 2:.1f}" y="{y - 4:.1f}" text-anchor="middle" '
                f'font-size="10" fill="#334155">{values[group]:.1f}</text>'
            )
    return parts
