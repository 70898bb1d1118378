"""The app that the killed hosts run: it marks every timer in the log and in the state."""

from mymozhem.contract import Context, JsonObject, TimerRequest, hookimpl


class TimerApp:
    """Each timer adds one to a counter and says so; draws are the host's own."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "marker",
            "meta": {"name": "Marker", "version": "1.0.0", "description": "Counts its timers."},
            "capabilities": ["timers", "winnerSelection"],
            "permissions": [],
            "events": {"marker:fired": {"visibility": "public", "payload": {"type": "object"}}},
        }

    @hookimpl
    def prepare_draw(self) -> JsonObject:
        return {"rule": "Everybody has one ticket."}

    @hookimpl
    def on_timer(self, context: Context, request: TimerRequest) -> JsonObject:
        count = int(context.room.state.public.get("count", 0)) + 1
        return {
            "effects": [
                {"effect": "setState", "public": {"count": count}},
                {"effect": "emit", "type": "marker:fired", "payload": {"timer": request.name}},
            ]
        }
