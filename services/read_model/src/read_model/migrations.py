"""Which schema this service's database has: `python -m read_model.migrations` brings it there."""

from campaign_events.migrations import Schema, main

SCHEMA = Schema("read_model")

if __name__ == "__main__":
    main(SCHEMA)
