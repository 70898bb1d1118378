"""How the apps are doing: counts of calls, health checks, alerts, and the mails about them."""
