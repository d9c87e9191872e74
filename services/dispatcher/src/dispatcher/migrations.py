"""Which schema this service's database has: `python -m dispatcher.migrations` brings it there."""

from campaign_events.migrations import Schema, main

SCHEMA = Schema("dispatcher")

if __name__ == "__main__":
    main(SCHEMA)
