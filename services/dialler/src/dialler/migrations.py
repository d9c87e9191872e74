"""Which schema this service's database has: `python -m dialler.migrations` brings it there."""

from campaign_events.migrations import Schema, main

SCHEMA = Schema("dialler")

if __name__ == "__main__":
    main(SCHEMA)
