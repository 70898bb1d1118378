"""An evening with the client that is generated from /openapi.json.

It runs in an environment of its own; `evening_client` is the generated package.
"""

import os
import sys

from evening_client import AuthenticatedClient, Client
from evening_client.api.auth import login
from evening_client.api.draws import create_draw, get_draw, get_record
from evening_client.api.participants import join_room
from evening_client.api.prizes import create_prize
from evening_client.api.rooms import change_room, create_room, delete_room
from evening_client.api.winners import list_winners
from evening_client.models import (
    DrawStatus,
    ErrorResponse,
    Login,
    NewDraw,
    NewPrize,
    NewRoom,
    RoomJoin,
    RoomPatch,
    RoomStatus,
)


def required(found):
    if found is None or isinstance(found, ErrorResponse):
        raise SystemExit(f"refused: {found}")
    return found


def require(holds, message):
    if not holds:
        raise SystemExit(message)


def sign_in(email):
    url = os.environ["HOST_URL"]
    body = Login(email=email, password=os.environ["PASSWORD"])
    signed_in = required(login.sync(client=Client(base_url=url), body=body)).data
    client = AuthenticatedClient(base_url=url, token=signed_in.access_token)
    return client, signed_in.user


def play():
    stranger = Client(base_url=os.environ["HOST_URL"])
    organizer, _ = sign_in("organizer@example.com")
    ada, user = sign_in("ada@example.com")
    new = NewRoom(name="Evening", app_id="stall", is_public=True)
    room = required(create_room.sync(client=organizer, body=new)).data
    prize = NewPrize(name="Bike")
    required(create_prize.sync(room.id, client=organizer, body=prize))
    active = RoomPatch(status=RoomStatus.ACTIVE)
    required(change_room.sync(room.id, client=organizer, body=active))
    joined = required(join_room.sync(room.id, client=ada, body=RoomJoin())).data
    require(joined.user.id == user.id, "somebody else joined")
    draw = required(create_draw.sync(room.id, client=organizer, body=NewDraw(run=True))).data
    while draw.status != DrawStatus.REVEALED:
        draw = required(get_draw.sync(room.id, draw.id, client=organizer)).data
    winners = required(list_winners.sync(room.id, client=organizer))
    names = [winner.participant.user.name for winner in winners.data]
    require(names == ["ada"], f"winners: {names}")
    record = required(get_record.sync(room.id, draw.id, client=stranger)).data
    require(record.picks[0].participant_id == joined.id, "the record differs")
    refused = change_room.sync(room.id, client=ada, body=RoomPatch(name="Mine"))
    require(refused.error.code == "FORBIDDEN", "a participant renamed the room")
    over = RoomPatch(status=RoomStatus.COMPLETED)
    required(change_room.sync(room.id, client=organizer, body=over))
    gone = required(delete_room.sync(room.id, client=organizer)).data
    sys.stdout.write(f"{gone.id} was played and deleted\n")


play()
