"""The health of apps: counts of calls, health checks, alerts, and mails about alerts."""
