"""Which schema this service's database has: `python -m moderation.migrations` brings it there."""

from campaign_events.migrations import Schema, main

SCHEMA = Schema("moderation")

if __name__ == "__main__":
    main(SCHEMA)
