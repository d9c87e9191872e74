"""Write `grafana/dashboards/*.json`: `make grafana`."""

from boards.writing import DASHBOARDS, texts


def main() -> None:
    """Write every board, and remove what is no board any more."""
    wanted = texts()
    for file in DASHBOARDS.glob("*.json"):
        if file.name not in wanted:
            file.unlink()
    for name, text in wanted.items():
        (DASHBOARDS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
