"""Models that Driftline monitors, built on its public interfaces only."""
